// @ts-check
// One contestant under one load, paired with the Map: whatever else ran in the process would change its machine code.
import { answer } from "../measure/child.mjs";
import { subjectFor } from "../measure/in-memory-contestants.mjs";
import { flatKeys, inRandomOrder } from "../measure/keys.mjs";
import { freshLoops } from "../measure/loop.mjs";
import { mapCounter } from "../measure/map-counter.mjs";
import { pairedRounds } from "../measure/paired-rounds.mjs";
import { ALGORITHMS, limiterFor, subjectOf } from "../ours/in-memory.mjs";

/** @typedef {import("../measure/loop.mjs").Subject} Subject */

/**
 * @typedef {object} CallCost
 * @property {"sync" | "awaited"} mode
 * @property {number} keys
 * @property {import("../ours/in-memory.mjs").Quota} quota
 * @property {boolean} refused whether every call is to be refused
 * @property {import("../measure/question.mjs").Row} contestant
 * @property {boolean} warm whether all five algorithms of ours ran in the process before
 * @property {import("../measure/paired-rounds.mjs").Pace} pace
 */

const WARM_UP_CALLS = 200_000;

answer(async (/** @type {CallCost} */ cost) => {
  const { mode, keys: count, quota, refused, contestant, pace } = cost;
  const keys = flatKeys(count);
  const order = inRandomOrder(keys);
  if (cost.warm) await useAll(cost, order);
  // Some stores make room before they are full.
  const subject = await subjectFor(contestant, mode, quota, 2 * count);
  const base = mapCounter(mode);
  // Every key is there before the first call counts.
  for (const key of keys) {
    base.call(key);
    await outcome(subject, key);
  }
  const check = async () => contestant.base || (await expectOutcome(subject, order, refused));
  await check();
  const side = async (/** @type {Subject} */ each) => ({ run: (await loopOf(mode))(each, order) });
  const result = await pairedRounds(await side(base), await side(subject), pace);
  await check();
  return result;
});

/** @param {CallCost} cost @param {readonly string[]} order */
async function useAll({ mode, keys, quota }, order) {
  for (const using of ALGORITHMS) {
    const loop = await loopOf(mode);
    await loop(subjectOf(limiterFor(using, quota, 2 * keys), mode), order)(WARM_UP_CALLS);
  }
}

/** @param {"sync" | "awaited"} mode */
async function loopOf(mode) {
  const { syncLoop, awaitedLoop } = await freshLoops();
  return mode === "sync" ? syncLoop : awaitedLoop;
}

/** @param {Subject} subject @param {string} key */
async function outcome({ call, read }, key) {
  try {
    return read(await call(key));
  } catch (refusal) {
    if (refusal instanceof Error) throw refusal;
    return read(refusal);
  }
}

/** @param {Subject} subject @param {readonly string[]} order @param {boolean} refused */
async function expectOutcome(subject, order, refused) {
  const number = await outcome(subject, /** @type {string} */ (order[0]));
  if (Number.isFinite(number) && number < 0 === refused) return;
  throw new Error(`Expected every call to be ${refused ? "refused" : "allowed"}, got ${number}`);
}
