// @ts-check
// What this library wants to reach, as ratios of one run on one machine wherever that is possible.

/** @typedef {import("./measure/question.mjs").Row} Row */
/** @typedef {import("./measure/question.mjs").Group} Group */

/**
 * A bound that the worst of our rows has to keep.
 * @typedef {object} Target
 * @property {string} text
 * @property {string} question
 * @property {string[]} workloads
 * @property {import("./measure/question.mjs").Figure} figure
 * @property {string} unit
 * @property {number} [atMost]
 * @property {number} [atLeast]
 * @property {(row: Row) => boolean} [of] the rows that it speaks of; by default all of ours
 */

/** @typedef {Target & { reached: number, met: boolean }} Verdict */

const algorithms =
  (/** @type {string[]} */ ...names) =>
  (/** @type {Row} */ row) =>
    names.includes(row.algorithm ?? "");
const named = (/** @type {string} */ name) => (/** @type {Row} */ row) => row.name === name;

/** @type {readonly Target[]} */
export const TARGETS = [
  {
    text: "Memory, at once, 1,000 hot keys: time of `map.set(key, (map.get(key) ?? 0) + 1)`",
    ...{ question: "memory", workloads: ["sync-1k"], figure: "ratio", unit: "×", atMost: 2 },
  },
  {
    text: "Memory, at once, 100,000 keys: the same",
    ...{ question: "memory", workloads: ["sync-100k"], figure: "ratio", unit: "×", atMost: 2.8 },
  },
  {
    text: "Memory, at once, all refused: the same",
    ...{ question: "memory", workloads: ["sync-refused"], figure: "ratio", unit: "×", atMost: 2.2 },
  },
  {
    text: "Memory, awaited, 1,000 hot keys: time of an awaited `Map` increment",
    ...{ question: "memory", workloads: ["awaited-1k"], figure: "ratio", unit: "×", atMost: 1.45 },
  },
  {
    text: "Memory, `limitMany` of 64, 1,000 hot keys: time of a `Map` increment for each",
    ...{ question: "limit-many", workloads: ["many-1k"], figure: "ratio", unit: "×", atMost: 1.3 },
  },
  {
    text: "Memory, for each of 1,000,000 keys, besides the text of the key",
    ...{ question: "footprint", workloads: ["bytes-per-key"], figure: "bytes", unit: "bytes", atMost: 75 },
  },
  {
    text: "Memory, longest single call while a store grows to 10,000,000 keys, without garbage collections",
    ...{ question: "scale", workloads: ["growth"], figure: "ms", unit: "ms", atMost: 5 },
  },
  {
    text: "Redis, one after the other, fixed window: median latency of `INCRBY`",
    ...{ question: "redis-sequential", workloads: ["sequential"], figure: "ratio", unit: "×", atMost: 1.15 },
    of: algorithms("fixed-window"),
  },
  {
    text: "Redis, one after the other, token bucket, leaky bucket, GCRA: the same",
    ...{ question: "redis-sequential", workloads: ["sequential"], figure: "ratio", unit: "×", atMost: 1.2 },
    of: algorithms("token-bucket", "leaky-bucket", "gcra"),
  },
  {
    text: "Redis, one after the other, sliding window: the same",
    ...{ question: "redis-sequential", workloads: ["sequential"], figure: "ratio", unit: "×", atMost: 1.3 },
    of: algorithms("sliding-window"),
  },
  {
    text: "Redis, 10,000 keys, 64 and 256 in flight: throughput of plain `INCRBY`",
    ...{
      question: "redis-concurrent",
      workloads: ["10k-64", "10k-256"],
      figure: "ratio",
      unit: "×",
      atLeast: 1.8,
    },
  },
  {
    text: "Redis, 10,000 keys, 1,024 in flight: the same",
    ...{ question: "redis-concurrent", workloads: ["10k-1024"], figure: "ratio", unit: "×", atLeast: 3 },
  },
  {
    text: "Redis, one hot key, 64 in flight: the same",
    ...{ question: "redis-concurrent", workloads: ["hot-64"], figure: "ratio", unit: "×", atLeast: 5 },
  },
  {
    text: "Redis, one hot key, 1,024 in flight: the same",
    ...{ question: "redis-concurrent", workloads: ["hot-1024"], figure: "ratio", unit: "×", atLeast: 15 },
  },
  {
    text: "Redis, CPU time of the server for a decision, 10,000 keys, 64 to 1,024 in flight",
    ...{ question: "redis-concurrent", workloads: ["10k-64", "10k-256", "10k-1024"] },
    ...{ figure: "serverUs", unit: "µs", atMost: 3 },
  },
  {
    text: "Redis, all refused, deny cache, 64 in flight: throughput of plain `INCRBY`",
    ...{ question: "refused", workloads: ["refused-all"], figure: "ratio", unit: "×", atLeast: 20 },
  },
  {
    text: "Express, CPU time that middleware adds to a request: that of express-rate-limit",
    ...{ question: "http", workloads: ["express-header", "express-address"] },
    ...{ figure: "ofPeer", unit: "×", atMost: 1 },
  },
  {
    text: "Fastify, CPU time that middleware adds to a request: that of @fastify/rate-limit",
    ...{ question: "http", workloads: ["fastify-header", "fastify-address"] },
    ...{ figure: "ofPeer", unit: "×", atMost: 1 },
  },
  {
    text: "Core entry point, minified and compressed by gzip, without lru-cache",
    ...{ question: "bundle-size", workloads: ["bundle"], figure: "kB", unit: "kB", atMost: 6 },
    of: named("throttled"),
  },
  {
    text: "Core entry point, with lru-cache",
    ...{ question: "bundle-size", workloads: ["bundle"], figure: "kB", unit: "kB", atMost: 12 },
    of: named("throttled, with lru-cache"),
  },
];

/**
 * Every target whose rows are there, by what the worst of them reached.
 * @param {string} question
 * @param {readonly Group[]} groups its answer
 * @returns {Verdict[]}
 */
export function judge(question, groups) {
  return TARGETS.filter((target) => target.question === question).flatMap((target) => {
    const reached = rowsOf(target, groups).map((row) => row[target.figure] ?? Number.NaN);
    if (reached.length === 0) return [];
    const worst = target.atMost === undefined ? Math.min(...reached) : Math.max(...reached);
    return [{ ...target, reached: worst, met: meets(target, worst) }];
  });
}

/** Writes to each row what it should reach, and whether it does. @param {string} question @param {readonly Group[]} groups */
export function markTargets(question, groups) {
  for (const target of TARGETS.filter((each) => each.question === question)) {
    const drawn = groups.filter(({ figure }) => figure === target.figure);
    for (const row of rowsOf(target, drawn)) {
      row.target = boundOf(target);
      row.met = meets(target, row[target.figure] ?? Number.NaN);
    }
  }
}

/** @param {Target} target */
export function boundOf({ atMost, atLeast }) {
  return /** @type {number} */ (atMost ?? atLeast);
}

/** @param {Target} target @param {number} number @param {number} [margin] a factor by which the bound may be missed */
export function meets({ atMost, atLeast }, number, margin = 1) {
  return atMost === undefined
    ? number >= /** @type {number} */ (atLeast) / margin
    : number <= atMost * margin;
}

/** @param {Target} target @param {readonly Group[]} groups */
function rowsOf({ workloads, of = () => true }, groups) {
  return groups
    .flatMap((group) => group.workloads)
    .filter(({ id }) => workloads.includes(id))
    .flatMap(({ rows }) => rows)
    .filter((row) => row.ours && !row.aside && of(row));
}
