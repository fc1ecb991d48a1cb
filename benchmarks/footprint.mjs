// @ts-check
// How much memory does a key take, and what does the garbage collector pay for it?
import { ask } from "./measure/child.mjs";
import { competitorRows, mapRow, OUR_ROWS } from "./measure/in-memory-contestants.mjs";
import { rounded } from "./measure/statistics.mjs";

/** @typedef {import("./measure/question.mjs").Row} Row */

export const title = "What does a key cost while it is remembered?";

const PROCESS = new URL("processes/footprint.mjs", import.meta.url);
/** Slow enough that no key is fresh again, and gone, while others still come. */
const QUOTA = { limit: 1_000, ms: 604_800_000 };

/** @param {import("./measure/question.mjs").Plan} plan @returns {Promise<import("./measure/question.mjs").Group[]>} */
export async function measure(plan) {
  // Both fill a table of a power of two equally well: 95 % of 2^20 and of 2^17.
  const keys = plan.full ? 1_000_000 : 125_000;
  /** @type {readonly (Row & { mode?: "sync" | "awaited" })[]} */
  const contestants = plan.competitors
    ? [mapRow("sync"), ...OUR_ROWS, ...competitorRows(["sync", "awaited"])]
    : OUR_ROWS;
  const footprint = (/** @type {Row | undefined} */ contestant, mode = "sync") =>
    ask(PROCESS, { contestant, mode, keys, quota: QUOTA }, { execArgv: ["--expose-gc"] });
  const alone = await footprint(undefined);
  const [bytesRows, gcRows] = [/** @type {Row[]} */ ([]), /** @type {Row[]} */ ([])];
  for (const { mode, ...row } of contestants) {
    const { bytes, gcMs } = await footprint(row, mode);
    plan.note(`${row.name}: ${bytes.toFixed(0)} bytes a key, full collection ${gcMs.toFixed(0)} ms`);
    bytesRows.push({ ...row, bytes: rounded(bytes) });
    gcRows.push({ ...row, ms: rounded(gcMs) });
  }
  const load = `${keys.toLocaleString("en")} keys`;
  gcRows.unshift({ name: "the keys alone", ms: rounded(alone.gcMs) });
  return [
    {
      id: "bytes-per-key",
      title: "Bytes for each key, besides the text of the key",
      figure: "bytes",
      unit: "bytes",
      better: "less",
      workloads: [{ id: "bytes-per-key", title: load, rows: bytesRows }],
    },
    {
      id: "full-gc",
      title: "Pause of a full garbage collection",
      figure: "ms",
      unit: "ms",
      better: "less",
      workloads: [{ id: "full-gc", title: load, rows: gcRows }],
    },
  ];
}
