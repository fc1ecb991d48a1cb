// @ts-check
// How much longer than a plain INCRBY does one decision take on a Redis?
import { flatKeys, inRandomOrder } from "./measure/keys.mjs";
import { incrby, ours, rowsOf, theirs, withRedis } from "./measure/redis-contest.mjs";
import { interleavedSlices, touchAll } from "./measure/redis-slices.mjs";

export const title = "How long does a decision on Redis take?";

const KEYS = 1_000;
const QUOTA = { limit: 10_000, ms: 86_400_000 };

/** @param {import("./measure/question.mjs").Plan} plan @returns {Promise<import("./measure/question.mjs").Group[]>} */
export async function measure(plan) {
  const keys = flatKeys(KEYS);
  const rows = await withRedis(async (contest) => {
    const base = incrby(contest);
    // A second client that does the same shows how far a ratio is off by chance.
    const again = { ...incrby(contest), row: { name: "INCRBY, another client" } };
    const others = plan.competitors ? [again, ...(await theirs(contest, QUOTA))] : [];
    const contestants = [base, ...ours(contest, QUOTA), ...others];
    await touchAll(contestants, keys);
    const reached = await interleavedSlices(contestants, contest.control, {
      order: inRandomOrder(keys),
      inFlight: 1,
      rounds: plan.rounds,
      sliceMs: 2 * plan.sliceMs,
      compare: "p50Us",
    });
    return rowsOf(contestants, reached);
  });
  for (const { name, ratio, p50Us } of rows) plan.note(`sequential: ${name} ${ratio} ×, ${p50Us} µs`);
  return [
    {
      id: "redis-sequential",
      title: "Median latency, in times of INCRBY",
      figure: "ratio",
      unit: "×",
      better: "less",
      details: ["p50Us", "serverUs"],
      workloads: [{ id: "sequential", title: "one call after the other, 1,000 keys", rows }],
    },
  ];
}
