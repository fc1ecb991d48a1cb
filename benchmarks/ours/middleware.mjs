// @ts-check
import { MemoryStore } from "throttled";
import { throttle as forExpress } from "throttled/express";
import { throttlePlugin } from "throttled/fastify";
import { throttle as forHono } from "throttled/hono";

/** @typedef {import("../measure/http-contestants.mjs").Limits} Limits */

/** What is there for each framework. @type {Record<import("../measure/http-contestants.mjs").Framework, (limits: Limits) => any>} */
export const OURS = {
  express: (limits) => forExpress(options(limits)),
  fastify: (limits) => [throttlePlugin, options(limits)],
  hono: (limits) => forHono(options(limits)),
};

/** @param {Limits} limits */
function options({ limit, ms, keys, headers, keyOf }) {
  return {
    quota: { limit, period: ms },
    store: new MemoryStore({ maxSize: 2 * keys }),
    headers: /** @type {any} */ (headers),
    ...(keyOf === undefined ? { trustProxy: 1 } : { key: keyOf }),
  };
}
