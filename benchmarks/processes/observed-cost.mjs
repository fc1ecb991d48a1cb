// @ts-check
// A limiter with somebody who watches, paired with the Map: a subscriber hears of every limiter of the process.
import { subscribe } from "node:diagnostics_channel";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { MemoryStore, Throttled } from "throttled";
import { instrument } from "throttled/otel";
import { answer } from "../measure/child.mjs";
import { flatKeys, inRandomOrder } from "../measure/keys.mjs";
import { freshLoops } from "../measure/loop.mjs";
import { mapCounter } from "../measure/map-counter.mjs";
import { pairedRounds } from "../measure/paired-rounds.mjs";
import { subjectOf } from "../ours/in-memory.mjs";

/**
 * @typedef {object} ObservedCost
 * @property {number} keys
 * @property {{ limit: number, ms: number }} quota
 * @property {"nobody" | "listener" | "subscriber" | "otel"} watcher
 * @property {import("../measure/paired-rounds.mjs").Pace} pace
 */

answer(async (/** @type {ObservedCost} */ { keys, quota: { limit, ms }, watcher, pace }) => {
  let heard = 0;
  const hear = () => void heard++;
  if (watcher === "subscriber") subscribe("throttled:limit", hear);
  if (watcher === "otel") instrument({ meter: meter() });
  const limiter = new Throttled({
    quota: { limit, period: ms },
    store: new MemoryStore({ maxSize: 2 * keys }),
    onAllowed: watcher === "listener" ? hear : undefined,
  });
  const order = inRandomOrder(flatKeys(keys));
  const side = async (/** @type {import("../measure/loop.mjs").Subject} */ each) => ({
    run: (await freshLoops()).syncLoop(each, order),
  });
  const result = await pairedRounds(
    await side(mapCounter("sync")),
    await side(subjectOf(limiter, "sync")),
    pace,
  );
  const isHeard = watcher === "listener" || watcher === "subscriber";
  if (heard > 0 !== isHeard) throw new Error(`Expected ${watcher} to hear of the calls, heard of ${heard}`);
  return result;
});

function meter() {
  const exporter = { export: () => {}, forceFlush: async () => {}, shutdown: async () => {} };
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  return new MeterProvider({ readers: [reader] }).getMeter("benchmark");
}
