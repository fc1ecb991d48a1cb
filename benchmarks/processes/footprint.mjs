// @ts-check
// What one contestant holds for so many keys, and how long a full collection of garbage takes then. Needs --expose-gc.
import { answer } from "../measure/child.mjs";
import { subjectFor } from "../measure/in-memory-contestants.mjs";
import { flatKeys } from "../measure/keys.mjs";
import { median } from "../measure/statistics.mjs";

/**
 * @typedef {object} Footprint
 * @property {import("../measure/question.mjs").Row | undefined} contestant none, for what the keys alone cost
 * @property {"sync" | "awaited"} mode
 * @property {number} keys
 * @property {import("../ours/in-memory.mjs").Quota} quota
 */

const PAUSES = 5;
const collect = /** @type {() => void} */ (globalThis.gc);

answer(async (/** @type {Footprint} */ { contestant, mode, keys: count, quota }) => {
  const keys = flatKeys(count);
  const before = held();
  const subject = contestant && (await subjectFor(contestant, mode, quota, count));
  for (const key of subject ? keys : []) await subject?.call(key);
  const bytes = (held() - before) / count;
  const pauses = Array.from({ length: PAUSES }, () => {
    const start = performance.now();
    collect();
    return performance.now() - start;
  });
  // Both are in use until here, or they would be garbage themselves.
  await subject?.call(/** @type {string} */ (keys[0]));
  return { bytes, gcMs: median(pauses) };
});

/** Bytes in use after all garbage is gone, typed arrays included. */
function held() {
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
