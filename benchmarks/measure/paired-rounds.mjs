// @ts-check
import { median } from "./statistics.mjs";

/**
 * One of two things that are compared.
 * @typedef {object} Side
 * @property {import("./loop.mjs").Run} run
 * @property {(calls: number) => void} [prepare] goes before each run, and is not timed
 */

/** @typedef {{ rounds: number, sliceMs: number }} Pace */

/** How long a side runs before it counts, so that the compiler is done with it. */
const WARM_UP_MS = 150;

/**
 * Times base, variant, base, variant, …, base: each ratio is of a variant's time and the mean of its two neighbours, so that
 * a machine that speeds up or slows down does so for both.
 * @param {Side} base
 * @param {Side} variant
 * @param {Pace} pace
 * @returns {Promise<{ ratio: number, ns: number, baseNs: number }>} medians; nanoseconds of one call
 */
export async function pairedRounds(base, variant, { rounds, sliceMs }) {
  const [baseCalls, variantCalls] = [await callsFor(base, sliceMs), await callsFor(variant, sliceMs)];
  const bases = [await time(base, baseCalls)];
  const variants = [];
  const ratios = [];
  for (let round = 0; round < rounds; round++) {
    const before = /** @type {number} */ (bases.at(-1));
    const ns = await time(variant, variantCalls);
    const after = await time(base, baseCalls);
    variants.push(ns);
    bases.push(after);
    ratios.push(ns / ((before + after) / 2));
  }
  return { ratio: median(ratios), ns: median(variants), baseNs: median(bases) };
}

/** How many calls take about `ms`, once the side is warm. @param {Side} side @param {number} ms */
async function callsFor(side, ms) {
  let calls = 1_000;
  const start = performance.now();
  while (performance.now() - start < WARM_UP_MS) {
    const ns = await time(side, calls);
    calls = Math.max(64, Math.min(calls * 16, Math.round((ms * 1e6) / ns)));
  }
  return calls;
}

/** @param {Side} side @param {number} calls @returns {Promise<number>} nanoseconds of one call */
async function time({ run, prepare }, calls) {
  prepare?.(calls);
  const start = performance.now();
  await run(calls);
  return ((performance.now() - start) * 1e6) / calls;
}
