// @ts-check
import { Throttled } from "throttled";
import { RedisStore } from "throttled/redis";

/** @typedef {import("./in-memory.mjs").Quota} Quota */

/** Longer than by default: virtual machines stand still for seconds at times, and that is not what is measured. */
const DEADLINE = "10m";

/**
 * A limiter of ours on a Redis, by a client of the caller's as everyone's is.
 * @param {import("./in-memory.mjs").AlgorithmName} using
 * @param {Quota} quota
 * @param {import("ioredis").Redis} client
 * @param {import("throttled/redis").RedisStoreOptions} [options]
 */
export function redisLimiterFor(using, { limit, ms }, client, options) {
  return new Throttled({
    using,
    quota: { limit, period: ms },
    store: new RedisStore(client, { deadline: DEADLINE, ...options }),
  });
}
