// @ts-check
// What does traffic cost that is refused, as in an attack, when the limiter is on a Redis?
import { flatKeys } from "./measure/keys.mjs";
import { incrby, our, ours, rowsOf, theirs, withRedis } from "./measure/redis-contest.mjs";
import { interleavedSlices, touchAll } from "./measure/redis-slices.mjs";

/** @typedef {import("./measure/question.mjs").Plan} Plan */
/** @typedef {import("./measure/redis-contest.mjs").Contest} Contest */
/** @typedef {import("./measure/redis-slices.mjs").Contestant} Contestant */

export const title = "What does refused traffic cost on Redis?";

const IN_FLIGHT = 64;
const KEYS = 1_000;
const QUOTA = { limit: 1, ms: 604_800_000 };
const DENY_CACHE = { denyCache: "1s", prefix: "deny-cache" };

const LOADS = [
  { id: "refused-all", title: "all refused", newOf10: 0 },
  { id: "refused-most", title: "9 of 10 refused", newOf10: 1 },
];

/** @param {Plan} plan @returns {Promise<import("./measure/question.mjs").Group[]>} */
export async function measure(plan) {
  const workloads = [];
  for (const load of LOADS.filter(({ id }) => plan.wants(id))) {
    const rows = await withRedis((contest) => underLoad(contest, load, plan));
    for (const { name, ratio, opsPerSecond } of rows) {
      plan.note(`${load.title}: ${name} ${ratio} ×, ${opsPerSecond} a second`);
    }
    workloads.push({ id: load.id, title: load.title, rows });
  }
  return [
    {
      id: "refused",
      title: `Throughput with ${IN_FLIGHT} calls in flight, in times of INCRBY`,
      figure: "ratio",
      unit: "×",
      better: "more",
      details: ["opsPerSecond", "serverUs"],
      workloads,
    },
  ];
}

/** @param {Contest} contest @param {typeof LOADS[number]} load @param {Plan} plan */
async function underLoad(contest, { newOf10 }, plan) {
  const contestants = await contestantsOf(contest, plan.competitors);
  const keys = flatKeys(KEYS);
  // The first call of a key spends its quota; the second is told so, and may be remembered.
  await touchAll(contestants, [...keys, ...keys]);
  const reached = await interleavedSlices(contestants.map(mixed(newOf10)), contest.control, {
    order: keys.slice(0, 512),
    inFlight: IN_FLIGHT,
    rounds: plan.rounds,
    sliceMs: 4 * plan.sliceMs,
    compare: "opsPerSecond",
  });
  return rowsOf(contestants, reached);
}

/** @param {Contest} contest @param {boolean} competitors @returns {Promise<Contestant[]>} */
async function contestantsOf(contest, competitors) {
  const cached = ours(contest, QUOTA, DENY_CACHE);
  if (!competitors) return [incrby(contest), ...cached];
  const { flexibleWithBlockedKeys } = await import("./competitors/on-redis.mjs");
  const { VERSIONS } = await import("./competitors/versions.mjs");
  const name = "rate-limiter-flexible";
  const blocking = {
    row: { name: `${name}, blocking`, version: /** @type {string} */ (VERSIONS[name]) },
    decide: flexibleWithBlockedKeys(QUOTA, contest.client()),
  };
  const asked = our(contest, QUOTA, "token-bucket", "token-bucket, no deny cache");
  const plain = { ...asked, row: { ...asked.row, aside: /** @type {const} */ (true) } };
  return [incrby(contest), ...cached, plain, blocking, ...(await theirs(contest, QUOTA))];
}

/** So many of ten calls are of a key that nobody used before. @param {number} newOf10 */
function mixed(newOf10) {
  let calls = 0;
  return (/** @type {Contestant} */ { row, decide }) => ({
    row,
    decide: (/** @type {string} */ key) => decide(++calls % 10 < newOf10 ? `new:${calls}` : key),
  });
}
