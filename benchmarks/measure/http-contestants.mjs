// @ts-check
import { VERSIONS } from "../competitors/versions.mjs";

/** @typedef {"express" | "fastify" | "hono"} Framework */

/**
 * What a middleware is told.
 * @typedef {object} Limits
 * @property {number} limit
 * @property {number} ms
 * @property {number} keys how many there will be
 * @property {string} headers their version, as the library calls it
 * @property {(request: any) => string} [keyOf] without it the key is the address of the client, behind one proxy
 */

/**
 * A server that is loaded.
 * @typedef {object} Contestant
 * @property {import("./question.mjs").Row} row
 * @property {Framework} framework
 * @property {"header" | "address"} key where it is in a request
 * @property {"ours" | "theirs" | "none"} limiter
 * @property {string} headers
 */

/** What each peer is called, and the headers that it sends by default and by the newest draft that it knows. */
const PEERS = {
  express: { name: "express-rate-limit", headers: ["legacy", "draft-8"] },
  fastify: { name: "@fastify/rate-limit", headers: ["legacy"] },
  hono: { name: "hono-rate-limiter", headers: ["draft-6", "draft-7"] },
};

/** The headers of ours that are compared: those by default, and those that the peers of the framework send. */
const OUR_HEADERS = {
  express: ["draft-10", "legacy"],
  fastify: ["draft-10", "legacy"],
  hono: ["draft-10", "draft-7"],
};

/** The bare server first. @param {Framework} framework @param {"header" | "address"} key @returns {Contestant[]} */
export function contestantsOf(framework, key) {
  const { name, headers } = PEERS[framework];
  const version = /** @type {string} */ (VERSIONS[name]);
  return [
    { row: { name: "no limiter", base: true }, framework, key, limiter: "none", headers: "" },
    ...OUR_HEADERS[framework].map((each) => ({
      ...{ row: { name: `throttled, ${each}`, ours: /** @type {const} */ (true) }, framework, key },
      ...{ limiter: /** @type {const} */ ("ours"), headers: each },
    })),
    ...headers.map((each) => ({
      ...{ row: { name: `${name}, ${each}`, version }, framework, key },
      ...{ limiter: /** @type {const} */ ("theirs"), headers: each },
    })),
  ];
}
