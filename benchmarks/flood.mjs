// @ts-check
// What does a call cost when every key is new and the store is full?
import { ask } from "./measure/child.mjs";
import { competitorRows, OUR_ROWS } from "./measure/in-memory-contestants.mjs";
import { rounded } from "./measure/statistics.mjs";

/** @typedef {import("./measure/question.mjs").Row} Row */

export const title = "What does a flood of new keys cost?";

const PROCESS = new URL("processes/flood.mjs", import.meta.url);
const CAP = 100_000;
const QUOTA = { limit: 1_000, ms: 604_800_000 };
/** The others have no cap: they remember every key until it is as good as new. */
const BOUNDED = ["@fastify/rate-limit"];

/** @param {import("./measure/question.mjs").Plan} plan @returns {Promise<import("./measure/question.mjs").Group[]>} */
export async function measure(plan) {
  const competitors = competitorRows(["sync"]).filter(({ name }) => BOUNDED.includes(name));
  const rows = [];
  for (const row of [/** @type {Row} */ ({ name: "lru-cache", base: true }), ...OUR_ROWS, ...competitors]) {
    const { ratio, ns } = await ask(PROCESS, { contestant: row, cap: CAP, quota: QUOTA, pace: plan });
    plan.note(`new keys: ${row.name} ${ratio.toFixed(2)} ×, ${ns.toFixed(0)} ns`);
    rows.push({ ...row, ratio: rounded(ratio), ns: rounded(ns) });
  }
  return [
    {
      id: "flood",
      title: "A call with a new key at a full store, in times of lru-cache counting it",
      figure: "ratio",
      unit: "×",
      better: "less",
      details: ["ns"],
      workloads: [{ id: "new-keys", title: `room for ${CAP.toLocaleString("en")} keys`, rows }],
    },
  ];
}
