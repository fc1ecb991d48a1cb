// @ts-check

/** @typedef {import("../measure/loop.mjs").Subject} Subject */
/** @typedef {import("../ours/in-memory.mjs").Quota & { keys: number }} Load */

/**
 * A library that counts in the memory of the process.
 * @typedef {object} Competitor
 * @property {string} name of its package
 * @property {readonly ("sync" | "awaited")[]} modes how it can be called
 * @property {boolean} refuses whether it decides by itself; the others count, and leave the decision to a middleware
 * @property {(load: Load, mode: "sync" | "awaited") => Promise<Subject>} make imports it, too: no process holds more than it measures
 */

/** @type {readonly Competitor[]} */
export const IN_MEMORY = [
  { name: "rate-limiter-flexible", modes: ["awaited"], refuses: true, make: rateLimiterFlexible },
  { name: "express-rate-limit", modes: ["awaited"], refuses: false, make: expressRateLimit },
  { name: "@fastify/rate-limit", modes: ["sync"], refuses: false, make: fastifyRateLimit },
  {
    name: "limiter",
    modes: ["sync", "awaited"],
    refuses: true,
    make: (load, mode) => (mode === "sync" ? limiterSync(load) : limiterAwaited(load)),
  },
];

/** @param {Load} load @returns {Promise<Subject>} */
async function rateLimiterFlexible({ limit, ms }) {
  const { RateLimiterMemory } = await import("rate-limiter-flexible");
  const limiter = new RateLimiterMemory({ points: limit, duration: ms / 1_000 });
  return {
    call: (key) => limiter.consume(key),
    read: ({ consumedPoints, remainingPoints }) => (consumedPoints > limit ? -1 : remainingPoints),
  };
}

/** @param {Load} load @returns {Promise<Subject>} */
async function expressRateLimit({ ms }) {
  const { MemoryStore } = await import("express-rate-limit");
  const store = new MemoryStore();
  store.init(/** @type {any} */ ({ windowMs: ms }));
  return { call: (key) => store.increment(key), read: ({ totalHits }) => totalHits };
}

/** @param {Load} load @returns {Promise<Subject>} */
async function fastifyRateLimit({ limit, ms, keys }) {
  // @ts-expect-error It has no types of its own.
  const { default: LocalStore } = await import("@fastify/rate-limit/store/LocalStore.js");
  const store = new LocalStore(false, false, keys);
  /** @type {unknown} */
  let answer;
  const keep = (/** @type {unknown} */ _error, /** @type {unknown} */ current) => {
    answer = current;
  };
  return {
    call(key) {
      store.incr(key, keep, ms, limit);
      return answer;
    },
    read: ({ current }) => current,
  };
}

/** It has one key for each object; a Map of them is what its users write. @param {Load} load @returns {Promise<Subject>} */
async function limiterSync({ limit, ms }) {
  const { TokenBucket } = await import("limiter");
  const buckets = new Map();
  return {
    call(key) {
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        bucket = new TokenBucket({ bucketSize: limit, tokensPerInterval: limit, interval: ms });
        bucket.content = limit;
        buckets.set(key, bucket);
      }
      return bucket.tryRemoveTokens(1);
    },
    read: (passed) => (passed ? 1 : -1),
  };
}

/** @param {Load} load @returns {Promise<Subject>} */
async function limiterAwaited({ limit, ms }) {
  const { RateLimiter } = await import("limiter");
  const limiters = new Map();
  return {
    call(key) {
      let limiter = limiters.get(key);
      if (limiter === undefined) {
        limiter = new RateLimiter({ tokensPerInterval: limit, interval: ms, fireImmediately: true });
        limiters.set(key, limiter);
      }
      return limiter.removeTokens(1);
    },
    read: (remaining) => remaining,
  };
}
