// @ts-check
import { LRUCache } from "lru-cache";

/** A counter that forgets who was used longest ago: the least that a bounded limiter could do. @param {number} max @returns {import("../measure/loop.mjs").Subject} */
export function lruCounter(max) {
  /** @type {LRUCache<string, number>} */
  const cache = new LRUCache({ max });
  return {
    call(key) {
      const count = (cache.get(key) ?? 0) + 1;
      cache.set(key, count);
      return count;
    },
    read: (count) => count,
  };
}
