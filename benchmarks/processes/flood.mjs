// @ts-check
// Keys that were never seen before, at a store that is full; paired with an LRU cache of the same size.
import { lruCounter } from "../competitors/lru-counter.mjs";
import { answer } from "../measure/child.mjs";
import { subjectFor } from "../measure/in-memory-contestants.mjs";
import { flatKeys } from "../measure/keys.mjs";
import { freshLoops } from "../measure/loop.mjs";
import { pairedRounds } from "../measure/paired-rounds.mjs";

/**
 * @typedef {object} Flood
 * @property {import("../measure/question.mjs").Row} contestant
 * @property {number} cap
 * @property {import("../ours/in-memory.mjs").Quota} quota
 * @property {import("../measure/paired-rounds.mjs").Pace} pace
 */

answer(async (/** @type {Flood} */ { contestant, cap, quota, pace }) => {
  let made = 0;
  const freshKeys = (/** @type {number} */ count) => {
    made += count;
    return flatKeys(count, made - count);
  };
  const base = lruCounter(cap);
  const subject = contestant.base ? lruCounter(cap) : await subjectFor(contestant, "sync", quota, cap);
  for (const key of freshKeys(cap)) {
    base.call(key);
    subject.call(key);
  }
  const side = async (/** @type {import("../measure/loop.mjs").Subject} */ each) =>
    (await freshLoops()).freshKeyLoop(each, freshKeys);
  return pairedRounds(await side(base), await side(subject), pace);
});
