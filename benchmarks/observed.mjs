// @ts-check
// What does it cost when somebody watches?
import { ask } from "./measure/child.mjs";
import { rounded } from "./measure/statistics.mjs";

/** @typedef {import("./measure/question.mjs").Row} Row */

export const title = "What does it cost when somebody watches?";

const PROCESS = new URL("processes/observed-cost.mjs", import.meta.url);
const LOAD = { keys: 1_000, quota: { limit: 5e7, ms: 86_400_000 } };

/** By who watches. */
const WATCHERS = {
  nobody: "nobody watches",
  listener: "onAllowed",
  subscriber: "a subscriber of throttled:limit",
  otel: "throttled/otel, with the SDK",
};

/** @param {import("./measure/question.mjs").Plan} plan @returns {Promise<import("./measure/question.mjs").Group[]>} */
export async function measure(plan) {
  /** @type {Row[]} */
  const rows = [];
  for (const [watcher, name] of Object.entries(WATCHERS)) {
    const { ratio, ns } = await ask(PROCESS, { ...LOAD, watcher, pace: plan });
    plan.note(`${name}: ${ratio.toFixed(2)} ×, ${ns.toFixed(0)} ns`);
    rows.push({ name, ours: true, ratio: rounded(ratio), ns: rounded(ns) });
  }
  return [
    {
      id: "observed",
      title: "Calls that answer at once, by who watches, in times of a Map increment",
      figure: "ratio",
      unit: "×",
      better: "less",
      details: ["ns"],
      workloads: [{ id: "observed-1k", title: "1,000 hot keys", rows }],
    },
  ];
}
