// @ts-check
// Does a call cost the same however many keys there are, and does any call hold up the process while they come?
import { ask } from "./measure/child.mjs";
import { mapRow, ourRow } from "./measure/in-memory-contestants.mjs";
import { rounded } from "./measure/statistics.mjs";

/** @typedef {import("./measure/question.mjs").Plan} Plan */
/** @typedef {import("./measure/question.mjs").Row} Row */

export const title = "Does it stay fast when keys become many?";

const CALL_COST = new URL("processes/call-cost.mjs", import.meta.url);
const GROWTH = new URL("processes/growth.mjs", import.meta.url);
const SIZES = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
/** So that no key is refused, and none is fresh again, whatever their number. */
const QUOTA = { limit: 1e9, ms: 3_600_000 };
const GROWING_QUOTA = { limit: 1_000, ms: 604_800_000 };
const GROWN = 10_000_000;
/** The better one counts: a machine that stood still looks like a slow call. */
const RUNS = 2;
const OURS = ourRow("token-bucket", "token-bucket");

/** @param {Plan} plan @returns {Promise<import("./measure/question.mjs").Group[]>} */
export async function measure(plan) {
  const sizes = [];
  for (const keys of SIZES) sizes.push(await costAt(keys, plan));
  const pauses = [];
  for (const row of [mapRow("sync"), OURS]) pauses.push(await longestPause(row, plan));
  return [
    {
      id: "number-of-keys",
      title: "A call that answers at once, by the number of keys",
      figure: "ns",
      unit: "ns",
      better: "less",
      details: ["ratio"],
      workloads: sizes,
    },
    {
      id: "longest-call",
      title: "The longest single call while a store grows, without garbage collections",
      figure: "ms",
      unit: "ms",
      better: "less",
      details: ["gcMs"],
      workloads: [{ id: "growth", title: `to ${GROWN.toLocaleString("en")} keys`, rows: pauses }],
    },
  ];
}

/** @param {number} keys @param {Plan} pace */
async function costAt(keys, pace) {
  const question = { mode: "sync", keys, quota: QUOTA, refused: false, contestant: OURS, warm: false, pace };
  const { ratio, ns, baseNs } = await ask(CALL_COST, question);
  const count = `${keys.toLocaleString("en")} ${keys === 1 ? "key" : "keys"}`;
  pace.note(`${count}: ${ns.toFixed(0)} ns, ${ratio.toFixed(2)} ×`);
  /** @type {Row[]} */
  const rows = [
    { ...mapRow("sync"), ns: rounded(baseNs), ratio: 1 },
    { ...OURS, ns: rounded(ns), ratio: rounded(ratio) },
  ];
  return { id: `keys-${keys}`, title: count, rows };
}

/** @param {Row} contestant @param {Plan} plan @returns {Promise<Row>} */
async function longestPause(contestant, plan) {
  const runs = [];
  for (let run = 0; run < (contestant.base ? 1 : RUNS); run++) {
    const question = { contestant, keys: GROWN, quota: GROWING_QUOTA };
    const { ms, gcMs } = await ask(GROWTH, question, { execArgv: ["--max-old-space-size=12288"] });
    plan.note(
      `${contestant.name}: longest call ${ms.toFixed(1)} ms, longest collection ${gcMs.toFixed(0)} ms`,
    );
    runs.push({ ms: rounded(ms), gcMs: rounded(gcMs) });
  }
  return { ...contestant, .../** @type {Row} */ (runs.sort((one, other) => one.ms - other.ms)[0]) };
}
