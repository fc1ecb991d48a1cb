// @ts-check
// What does a call cost that is answered in memory?
import { ask } from "./measure/child.mjs";
import { competitorRows, mapRow, OUR_ROWS, ourRow } from "./measure/in-memory-contestants.mjs";
import { rounded } from "./measure/statistics.mjs";

/** @typedef {import("./measure/question.mjs").Plan} Plan */
/** @typedef {import("./measure/question.mjs").Row} Row */
/** @typedef {import("./measure/question.mjs").Group} Group */
/** @typedef {"sync" | "awaited"} Mode */

export const title = "What does a call cost in memory?";

const PROCESS = new URL("processes/call-cost.mjs", import.meta.url);

/** So much that nothing is refused, and so slow to come back that no key is fresh again at its next call. */
const LOADS = [
  { id: "1", title: "one key", keys: 1, quota: { limit: 1e9, ms: 3_600_000 }, refused: false },
  {
    id: "1k",
    title: "1,000 hot keys",
    keys: 1_000,
    quota: { limit: 5e7, ms: 86_400_000 },
    refused: false,
  },
  {
    id: "100k",
    title: "100,000 keys",
    keys: 100_000,
    quota: { limit: 1e6, ms: 604_800_000 },
    refused: false,
  },
  {
    id: "refused",
    title: "1,000 keys, all refused",
    keys: 1_000,
    quota: { limit: 1, ms: 604_800_000 },
    refused: true,
  },
];

/** A default limiter in a process that uses the other algorithms, too. */
const WARM = ourRow("token-bucket, all five in use", "token-bucket");

/** @param {Plan} plan @returns {Promise<Group[]>} */
export async function measure(plan) {
  return [
    await group("sync", "Calls that answer at once, in times of a Map increment", plan),
    await group("awaited", "Awaited calls, in times of an awaited Map increment", plan),
  ];
}

/** @param {Mode} mode @param {string} groupTitle @param {Plan} plan @returns {Promise<Group>} */
async function group(mode, groupTitle, plan) {
  const workloads = [];
  for (const load of LOADS) {
    const id = `${mode}-${load.id}`;
    if (!plan.wants(id)) continue;
    const rows = [];
    for (const row of plan.competitors ? contestants(mode, load.refused) : OUR_ROWS) {
      const question = { ...load, mode, contestant: row, warm: row === WARM, pace: plan };
      const { ratio, ns } = await ask(PROCESS, question);
      plan.note(`${mode}, ${load.title}: ${row.name} ${ratio.toFixed(2)} ×, ${ns.toFixed(0)} ns`);
      rows.push({ ...row, ratio: rounded(ratio), ns: rounded(ns) });
    }
    workloads.push({ id, title: load.title, rows });
  }
  const figures = {
    figure: /** @type {const} */ ("ratio"),
    unit: "×",
    details: [/** @type {const} */ ("ns")],
  };
  return { id: `memory-${mode}`, title: groupTitle, better: "less", ...figures, workloads };
}

/** @param {Mode} mode @param {boolean} refused */
function contestants(mode, refused) {
  return [mapRow(mode), ...OUR_ROWS, WARM, ...competitorRows([mode], refused)];
}
