// @ts-check
// A store grows, key by key: the longest that a single call held up the process, without what the garbage collector did,
// and without the time in which another process had the CPU.
import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { answer } from "../measure/child.mjs";
import { subjectFor } from "../measure/in-memory-contestants.mjs";
import { flatKeys } from "../measure/keys.mjs";

/** @typedef {{ start: number, end: number }} Span in milliseconds of this process */

/** @typedef {Span & { waitedMs: number }} SlowCall */

/**
 * @typedef {object} Growth
 * @property {import("../measure/question.mjs").Row} contestant
 * @property {number} keys
 * @property {import("../ours/in-memory.mjs").Quota} quota
 */

const CHUNK = 50_000;
/** Shorter ones could not be the longest. */
const SLOW_MS = 0.3;

answer(async (/** @type {Growth} */ { contestant, keys, quota }) => {
  /** @type {Span[]} */
  let collections = [];
  const observer = new PerformanceObserver((list) => collections.push(...list.getEntries().map(spanOf)));
  observer.observe({ entryTypes: ["gc"] });
  const { call } = await subjectFor(contestant, "sync", quota, keys);
  let [ms, gcMs] = [0, 0];
  for (let at = 0; at < keys; at += CHUNK) {
    const slow = slowCalls(call, flatKeys(CHUNK, at));
    // What was collected is told only in a later turn of the event loop.
    await turn();
    collections.push(...observer.takeRecords().map(spanOf));
    for (const each of slow) ms = Math.max(ms, ownMs(each, collections) - each.waitedMs);
    for (const { start, end } of collections) gcMs = Math.max(gcMs, end - start);
    collections = [];
  }
  return { ms, gcMs };
});

/** @param {(key: string) => unknown} call @param {readonly string[]} keys */
function slowCalls(call, keys) {
  /** @type {SlowCall[]} */
  const slow = [];
  let waited = waitingTime();
  let end = performance.now();
  for (const key of keys) {
    const start = performance.now();
    // What came between two calls must not be taken for a part of the next one.
    if (start - end > SLOW_MS) waited = waitingTime();
    call(key);
    end = performance.now();
    if (end - start <= SLOW_MS) continue;
    slow.push({ start, end, waitedMs: Math.min(waited(), end - start) });
    waited = waitingTime();
  }
  return slow;
}

/** How long the process has not had a CPU from now on, or less where it used two at once. */
function waitingTime() {
  const [start, before] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(before);
    return Math.max(0, performance.now() - start - (user + system) / 1_000);
  };
}

/** @param {{ startTime: number, duration: number }} entry @returns {Span} */
function spanOf({ startTime, duration }) {
  return { start: startTime, end: startTime + duration };
}

/** @param {Span} span @param {readonly Span[]} collections which may lie within one another */
function ownMs({ start, end }, collections) {
  let own = end - start;
  let counted = start;
  for (const each of [...collections].sort((one, other) => one.start - other.start)) {
    const from = Math.max(counted, each.start);
    const to = Math.min(end, each.end);
    if (to <= from) continue;
    own -= to - from;
    counted = to;
  }
  return own;
}
