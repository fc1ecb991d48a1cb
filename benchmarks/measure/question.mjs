// @ts-check
// The shape of a question and of its answer, which is what results.json holds.

/**
 * What one contestant reached. Figures are named by what they are: `ratio`, `ns`, `opsPerSecond`, `serverUs`, …
 * @typedef {object} Row
 * @property {string} name
 * @property {string} [version]
 * @property {true} [base] what the others are compared with
 * @property {string} [algorithm] of ours
 * @property {true} [ours]
 * @property {true} [aside] of ours, and shown, but not what a target speaks of
 * @property {number} [target]
 * @property {boolean} [met]
 * @property {number} [ratio]
 * @property {number} [ns]
 * @property {number} [bytes]
 * @property {number} [ms]
 * @property {number} [kB]
 * @property {number} [minifiedKB]
 * @property {number} [p50Us]
 * @property {number} [opsPerSecond]
 * @property {number} [serverUs]
 * @property {number} [gcMs]
 * @property {number} [addedUs]
 * @property {number} [ofPeer]
 * @property {number} [throughput]
 */

/** @typedef {"ratio" | "ns" | "bytes" | "ms" | "kB" | "minifiedKB" | "p50Us" | "opsPerSecond" | "serverUs" | "gcMs" | "addedUs" | "ofPeer" | "throughput"} Figure */

/** One load that all contestants got. @typedef {{ id: string, title: string, rows: Row[] }} Workload */

/**
 * Workloads with the same unit: one table and one chart.
 * @typedef {object} Group
 * @property {string} id
 * @property {string} title
 * @property {Figure} figure that is drawn, compared with targets and shown first
 * @property {string} unit of it
 * @property {"less" | "more"} better
 * @property {Figure[]} [details] further figures of the table
 * @property {Workload[]} workloads
 */

/**
 * How thoroughly to measure.
 * @typedef {object} Plan
 * @property {number} rounds
 * @property {number} sliceMs of each side in a round
 * @property {boolean} competitors whether they take part
 * @property {boolean} full whether what takes many seconds is measured at its full size
 * @property {(workload: string) => boolean} wants
 * @property {(note: string) => void} note shows how far it is
 */

/** A file of a question exports these. @typedef {{ title: string, measure: (plan: Plan) => Promise<Group[]> }} Question */

/** All questions, in the order of the README. */
export const QUESTIONS = [
  "memory",
  "limit-many",
  "observed",
  "footprint",
  "flood",
  "scale",
  "redis-sequential",
  "redis-concurrent",
  "refused",
  "http",
  "bundle-size",
  "import-time",
];

/** @param {string} name @returns {Promise<Question>} */
export function questionOf(name) {
  return import(`../${name}.mjs`);
}

/** What `npm run bench` does. @type {Omit<Plan, "note">} */
export const WHOLE = { rounds: 9, sliceMs: 25, competitors: true, full: true, wants: () => true };
