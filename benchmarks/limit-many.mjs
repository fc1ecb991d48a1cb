// @ts-check
// What does a decision cost in a `limitMany` of 64?
import { ask } from "./measure/child.mjs";
import { OUR_ROWS, ourRow } from "./measure/in-memory-contestants.mjs";
import { rounded } from "./measure/statistics.mjs";

export const title = "What does a decision cost when many are asked for at once?";

const PROCESS = new URL("processes/many-cost.mjs", import.meta.url);
const BATCH = 64;

const LOADS = [
  {
    id: "many-1k",
    title: "1,000 hot keys",
    keys: 1_000,
    quota: { limit: 5e7, ms: 86_400_000 },
  },
  {
    id: "many-100k",
    title: "100,000 keys",
    keys: 100_000,
    quota: { limit: 1e6, ms: 604_800_000 },
  },
];

/** What the same calls cost without `limitMany`. @type {import("./measure/question.mjs").Row} */
const ONE_BY_ONE = { ...ourRow("token-bucket, 64 limitSync", "token-bucket"), aside: true };

/** @param {import("./measure/question.mjs").Plan} plan @returns {Promise<import("./measure/question.mjs").Group[]>} */
export async function measure(plan) {
  const workloads = [];
  for (const { id, title: load, keys, quota } of LOADS.filter((each) => plan.wants(each.id))) {
    const rows = [];
    for (const row of plan.full ? [...OUR_ROWS, ONE_BY_ONE] : OUR_ROWS) {
      const oneByOne = row === ONE_BY_ONE;
      const question = { keys, batch: BATCH, algorithm: row.algorithm, oneByOne, quota, pace: plan };
      const { ratio, ns } = await ask(PROCESS, question);
      plan.note(`limitMany, ${load}: ${row.name} ${ratio.toFixed(2)} ×, ${ns.toFixed(0)} ns`);
      rows.push({ ...row, ratio: rounded(ratio), ns: rounded(ns) });
    }
    workloads.push({ id, title: load, rows });
  }
  return [
    {
      id: "limit-many",
      title: `A decision of limitMany with ${BATCH} keys, in times of a Map increment`,
      figure: "ratio",
      unit: "×",
      better: "less",
      details: ["ns"],
      workloads,
    },
  ];
}
