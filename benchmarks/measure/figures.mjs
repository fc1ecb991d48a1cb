// @ts-check
// How figures are written.

/** @typedef {import("./question.mjs").Figure} Figure */

/** @type {Record<Figure, (number: number) => string>} */
const WRITTEN = {
  ratio: (number) => `${short(number)} ×`,
  ns: (number) => `${short(number)} ns`,
  bytes: (number) => `${short(number)} bytes`,
  ms: (number) => `${short(number)} ms`,
  kB: (number) => `${short(number)} kB`,
  minifiedKB: (number) => `${short(number)} kB minified`,
  p50Us: (number) => `${short(number)} µs`,
  opsPerSecond: (number) => `${Math.round(number / 1_000).toLocaleString("en")}k/s`,
  serverUs: (number) => `${short(number)} µs of the server`,
  gcMs: (number) => `${short(number)} ms of GC`,
  addedUs: (number) => `${short(number)} µs`,
  ofPeer: (number) => `${short(number)} × the peer`,
  throughput: (number) => `${Math.round(100 * number)} % of the requests`,
};

/** A figure with its unit. @param {Figure} figure @param {number} number */
export function written(figure, number) {
  return WRITTEN[figure](number);
}

/** A number with as many digits as mean something. @param {number} number */
export function short(number) {
  if (number >= 100) return Math.round(number).toLocaleString("en");
  return number.toFixed(number >= 10 ? 1 : 2);
}
