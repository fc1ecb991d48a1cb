// @ts-check
import { Redis } from "ioredis";
import { startRedis } from "../../docs/demo/redis.mjs";
import { ALGORITHMS } from "../ours/in-memory.mjs";
import { redisLimiterFor } from "../ours/on-redis.mjs";
import { ourRow } from "./in-memory-contestants.mjs";
import { rounded } from "./statistics.mjs";

/** @typedef {import("../ours/in-memory.mjs").Quota} Quota */
/** @typedef {import("./redis-slices.mjs").Contestant} Contestant */
/** @typedef {import("throttled/redis").RedisStoreOptions} RedisStoreOptions */

/**
 * A server of its own, and clients of it that are gone with it.
 * @typedef {object} Contest
 * @property {Redis} control
 * @property {(options?: { enableAutoPipelining: true }) => Redis} client
 */

/** @template T @param {(contest: Contest) => Promise<T>} measure */
export async function withRedis(measure) {
  const { url, stop } = await startRedis();
  /** @type {Redis[]} */
  const clients = [];
  const client = (/** @type {{ enableAutoPipelining?: true }} */ options = {}) => {
    const one = new Redis(url, options);
    clients.push(one);
    return one;
  };
  try {
    return await measure({ control: client(), client });
  } finally {
    for (const one of clients) one.disconnect();
    await stop();
  }
}

/** What a counter costs that nothing was added to. @param {Contest} contest @returns {Contestant} */
export function incrby({ client }) {
  const redis = client();
  return { row: { name: "INCRBY", base: true }, decide: (key) => redis.incrby(key, 1) };
}

/** `INCRBY` again, by a client that gathers the commands of a turn of the event loop. @param {Contest} contest @returns {Contestant} */
export function pipelinedIncrby({ client }) {
  const redis = client({ enableAutoPipelining: true });
  return { row: { name: "INCRBY, auto-pipelining" }, decide: (key) => redis.incrby(key, 1) };
}

/** One of each algorithm. @param {Contest} contest @param {Quota} quota @param {RedisStoreOptions} [options] */
export function ours(contest, quota, options) {
  return ALGORITHMS.map((algorithm) => our(contest, quota, algorithm, algorithm, options));
}

/**
 * @param {Contest} contest
 * @param {Quota} quota
 * @param {import("../ours/in-memory.mjs").AlgorithmName} algorithm
 * @param {string} what follows the name of the library
 * @param {RedisStoreOptions} [options]
 * @returns {Contestant}
 */
export function our({ client }, quota, algorithm, what, options) {
  const limiter = redisLimiterFor(algorithm, quota, client(), options);
  return { row: ourRow(what, algorithm), decide: (key) => limiter.limit(key) };
}

/** @param {Contest} contest @param {Quota} quota @returns {Promise<Contestant[]>} */
export async function theirs({ client }, quota) {
  const { ON_REDIS } = await import("../competitors/on-redis.mjs");
  const { VERSIONS } = await import("../competitors/versions.mjs");
  return Object.entries(ON_REDIS).map(([name, make]) => ({
    row: { name, version: /** @type {string} */ (VERSIONS[name]) },
    decide: make(quota, client()),
  }));
}

/** @param {readonly Contestant[]} contestants @param {readonly import("./redis-slices.mjs").Reached[]} reached @returns {import("./question.mjs").Row[]} */
export function rowsOf(contestants, reached) {
  return contestants.map(({ row }, i) => {
    const figures = Object.entries(reached[i] ?? {}).map(([figure, number]) => [figure, rounded(number)]);
    return { ...row, ...Object.fromEntries(figures) };
  });
}
