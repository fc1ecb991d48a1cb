// @ts-check

/** The least that a limiter could do, and what everything is compared with: `map.set(key, (map.get(key) ?? 0) + 1)`. @typedef {import("./loop.mjs").Subject} Subject */

const read = (/** @type {number} */ count) => count;

/** @param {"sync" | "awaited"} mode @returns {Subject} */
export function mapCounter(mode) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  const call = (/** @type {string} */ key) => {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count;
  };
  if (mode === "sync") return { call, read };
  return {
    async call(key) {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count;
    },
    read,
  };
}
