// @ts-check
// `limitMany` of one algorithm of ours, paired with as many increments of the Map.
import { answer } from "../measure/child.mjs";
import { flatKeys, inRandomOrder } from "../measure/keys.mjs";
import { freshLoops } from "../measure/loop.mjs";
import { mapCounter } from "../measure/map-counter.mjs";
import { pairedRounds } from "../measure/paired-rounds.mjs";
import { limiterFor, read } from "../ours/in-memory.mjs";

/**
 * @typedef {object} ManyCost
 * @property {number} keys
 * @property {number} batch
 * @property {import("../ours/in-memory.mjs").AlgorithmName} algorithm
 * @property {boolean} oneByOne by `limitSync` instead
 * @property {import("../ours/in-memory.mjs").Quota} quota
 * @property {import("../measure/paired-rounds.mjs").Pace} pace
 */

answer(async (/** @type {ManyCost} */ { keys: count, batch, algorithm, oneByOne, quota, pace }) => {
  const keys = flatKeys(count);
  const order = inRandomOrder(keys);
  const batches = Array.from({ length: order.length / batch }, (_, i) =>
    order.slice(i * batch, (i + 1) * batch),
  );
  const limiter = limiterFor(algorithm, quota, 2 * count);
  const counter = mapCounter("sync");
  for (const key of keys) {
    counter.call(key);
    limiter.limitSync(key);
  }
  const [{ syncLoop }, { batchLoop }] = [await freshLoops(), await freshLoops()];
  const variant = oneByOne
    ? (await freshLoops()).syncLoop({ call: (key) => limiter.limitSync(key), read }, order)
    : batchLoop({ call: (some) => limiter.limitMany(some), read }, batches);
  return pairedRounds({ run: syncLoop(counter, order) }, { run: variant }, pace);
});
