// @ts-check
import { MemoryStore, Throttled } from "throttled";

/** @typedef {import("throttled").AlgorithmName} AlgorithmName */
/** @typedef {import("../measure/loop.mjs").Subject} Subject */

/** How much each key may spend in so many milliseconds. @typedef {{ limit: number, ms: number }} Quota */

/** @type {readonly AlgorithmName[]} */
export const ALGORITHMS = ["fixed-window", "sliding-window", "token-bucket", "leaky-bucket", "gcra"];

/** A limiter with a store of its own that has room for so many keys. @param {AlgorithmName} using @param {Quota} quota @param {number} maxSize */
export function limiterFor(using, { limit, ms }, maxSize) {
  return new Throttled({ using, quota: { limit, period: ms }, store: new MemoryStore({ maxSize }) });
}

/** @param {import("throttled").RateLimitResult} result */
export function read({ limited, remaining }) {
  return limited ? -1 : remaining;
}

/** @param {Throttled} limiter @param {"sync" | "awaited"} mode @returns {Subject} */
export function subjectOf(limiter, mode) {
  return mode === "sync"
    ? { call: (key) => limiter.limitSync(key), read }
    : { call: (key) => limiter.limit(key), read };
}
