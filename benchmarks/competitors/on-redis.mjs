// @ts-check
import { createRequire } from "node:module";
import { RedisStore } from "rate-limit-redis";
import rateLimiterFlexible from "rate-limiter-flexible";

/** @typedef {import("../ours/in-memory.mjs").Quota} Quota */
/** @typedef {import("ioredis").Redis} Redis */
/** @typedef {(key: string) => Promise<unknown>} Decide rejects with anything but an Error to refuse */

const FastifyStore = createRequire(import.meta.url)("@fastify/rate-limit/store/RedisStore.js");

/** Libraries that count on a Redis, by the name of their package. @type {Readonly<Record<string, (quota: Quota, client: Redis) => Decide>>} */
export const ON_REDIS = {
  "rate-limiter-flexible": (quota, client) => flexible(quota, client, {}),
  "rate-limit-redis": ({ ms }, client) => {
    const store = new RedisStore({
      sendCommand: (/** @type {string[]} */ ...[command, ...args]) =>
        /** @type {Promise<any>} */ (client.call(/** @type {string} */ (command), ...args)),
    });
    store.init(/** @type {any} */ ({ windowMs: ms }));
    return (key) => store.increment(key);
  },
  "@fastify/rate-limit": ({ limit, ms }, client) => {
    const store = new FastifyStore(false, false, client);
    return (key) =>
      new Promise((resolve, reject) => {
        const done = (/** @type {unknown} */ error, /** @type {unknown} */ count) =>
          error === null ? resolve(count) : reject(error);
        store.incr(key, done, ms, limit);
      });
  },
};

/** It remembers in memory who was refused. @param {Quota} quota @param {Redis} client @returns {Decide} */
export function flexibleWithBlockedKeys(quota, client) {
  return flexible(quota, client, { keyPrefix: "blocking", inMemoryBlockOnConsumed: quota.limit + 1 });
}

/** @param {Quota} quota @param {Redis} client @param {object} options @returns {Decide} */
function flexible({ limit, ms }, client, options) {
  const { RateLimiterRedis } = rateLimiterFlexible;
  const limiter = new RateLimiterRedis({
    storeClient: client,
    points: limit,
    duration: ms / 1_000,
    ...options,
  });
  return (key) => limiter.consume(key);
}
