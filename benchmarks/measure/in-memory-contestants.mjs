// @ts-check
import { IN_MEMORY } from "../competitors/in-memory.mjs";
import { VERSIONS } from "../competitors/versions.mjs";
import { ALGORITHMS, limiterFor, subjectOf } from "../ours/in-memory.mjs";
import { mapCounter } from "./map-counter.mjs";

/** @typedef {import("./question.mjs").Row} Row */
/** @typedef {import("../ours/in-memory.mjs").AlgorithmName} AlgorithmName */
/** @typedef {import("../ours/in-memory.mjs").Quota} Quota */
/** @typedef {"sync" | "awaited"} Mode */

/** @param {Mode} mode @returns {Row} */
export function mapRow(mode) {
  return { name: mode === "sync" ? "Map" : "Map, awaited", base: true };
}

/** One of each algorithm. @type {readonly Row[]} */
export const OUR_ROWS = ALGORITHMS.map((algorithm) => ourRow(algorithm, algorithm));

/** @param {string} what follows the name of the library @param {string} algorithm @returns {Row} */
export function ourRow(what, algorithm) {
  return { name: `throttled ${what}`, algorithm, ours: true };
}

/** Those that can be called that way, each once. @param {readonly Mode[]} modes @param {boolean} [refused] only those that refuse by themselves @returns {(Row & { mode: Mode })[]} */
export function competitorRows(modes, refused = false) {
  return IN_MEMORY.filter(({ refuses }) => refuses || !refused).flatMap(({ name, modes: offered }) => {
    const mode = modes.find((each) => offered.includes(each));
    return mode === undefined ? [] : [{ name, version: /** @type {string} */ (VERSIONS[name]), mode }];
  });
}

/**
 * What a row stands for, with room for so many keys.
 * @param {Row} row
 * @param {Mode} mode
 * @param {Quota} quota
 * @param {number} keys
 * @returns {Promise<import("./loop.mjs").Subject>}
 */
export async function subjectFor({ name, base, algorithm }, mode, quota, keys) {
  if (base) return mapCounter(mode);
  if (algorithm !== undefined) {
    return subjectOf(limiterFor(/** @type {AlgorithmName} */ (algorithm), quota, keys), mode);
  }
  const competitor = IN_MEMORY.find((each) => each.name === name);
  if (competitor === undefined) throw new Error(`Nobody is called ${name}`);
  return competitor.make({ ...quota, keys }, mode);
}
