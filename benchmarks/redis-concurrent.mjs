// @ts-check
// How many decisions does a Redis give when many are asked for at once?
import { flatKeys, inRandomOrder } from "./measure/keys.mjs";
import { incrby, ours, pipelinedIncrby, rowsOf, theirs, withRedis } from "./measure/redis-contest.mjs";
import { interleavedSlices, touchAll } from "./measure/redis-slices.mjs";

/** @typedef {import("./measure/question.mjs").Plan} Plan */
/** @typedef {import("./measure/redis-contest.mjs").Contest} Contest */

export const title = "How many decisions does Redis give when many calls are in flight?";

/** What nobody uses up, and what is not fresh again at the next call. */
const LOADS = [
  { id: "hot", title: "one hot key", keys: 1, quota: { limit: 1e7, ms: 3_600_000 } },
  { id: "10k", title: "10,000 keys", keys: 10_000, quota: { limit: 10_000, ms: 86_400_000 } },
];
const IN_FLIGHT = [64, 256, 1_024];

/** @param {Plan} plan @returns {Promise<import("./measure/question.mjs").Group[]>} */
export async function measure(plan) {
  const workloads = [];
  // Each load gets a server that knows nothing of the other.
  for (const load of LOADS) workloads.push(...(await withRedis((contest) => underLoad(contest, load, plan))));
  return [
    {
      id: "redis-concurrent",
      title: "Throughput, in times of INCRBY",
      figure: "ratio",
      unit: "×",
      better: "more",
      details: ["opsPerSecond", "serverUs"],
      workloads,
    },
  ];
}

/** @param {Contest} contest @param {typeof LOADS[number]} load @param {Plan} plan */
async function underLoad(contest, load, plan) {
  const { quota } = load;
  const others = plan.competitors ? [pipelinedIncrby(contest), ...(await theirs(contest, quota))] : [];
  const contestants = [incrby(contest), ...ours(contest, quota), ...others];
  const keys = flatKeys(load.keys);
  await touchAll(contestants, keys);
  const workloads = [];
  for (const inFlight of IN_FLIGHT) {
    const id = `${load.id}-${inFlight}`;
    if (!plan.wants(id)) continue;
    const reached = await interleavedSlices(contestants, contest.control, {
      order: inRandomOrder(keys),
      inFlight,
      rounds: plan.rounds,
      sliceMs: 4 * plan.sliceMs,
      compare: "opsPerSecond",
    });
    const rows = rowsOf(contestants, reached);
    const heading = `${load.title}, ${inFlight.toLocaleString("en")} in flight`;
    for (const { name, ratio, opsPerSecond, serverUs } of rows) {
      plan.note(`${heading}: ${name} ${ratio} ×, ${opsPerSecond} a second, ${serverUs} µs of the server`);
    }
    workloads.push({ id, title: heading, rows });
  }
  return workloads;
}
