// @ts-check

/**
 * One algorithm on stage.
 * @typedef {object} Scene
 * @property {string} title
 * @property {import("throttled").AlgorithmName} using
 * @property {string} quota
 * @property {number} timeoutMs how long a call may wait for its turn
 * @property {string} hint what to look for
 */

/** What the clients send, four times what the quotas allow. */
export const PER_SECOND = 200;

/** The same average for all, so that only the shape differs. @type {readonly Scene[]} */
export const SCENES = [
  {
    title: "Fixed window",
    using: "fixed-window",
    quota: "50/s",
    timeoutMs: 0,
    hint: "all of it as each second begins, then nothing",
  },
  {
    title: "Sliding window",
    using: "sliding-window",
    quota: "50/s",
    timeoutMs: 0,
    hint: "one block, then only as the last second fades",
  },
  {
    title: "Token bucket",
    using: "token-bucket",
    quota: "50/s burst 50",
    timeoutMs: 0,
    hint: "the saved burst, then the refill without a gap",
  },
  {
    title: "Leaky bucket",
    using: "leaky-bucket",
    quota: "50/s",
    timeoutMs: 1000,
    hint: "calls queue for up to 1 s and leave evenly",
  },
  {
    title: "GCRA",
    using: "gcra",
    // With a burst of 1 every call that comes late is lost for good.
    quota: "50/s burst 2",
    timeoutMs: 0,
    hint: "as even without a queue: too early is limited",
  },
];

/** The quota as a user would say it. @param {Scene} scene */
export function quotaText({ quota, timeoutMs }) {
  return timeoutMs > 0 ? `${quota}, waits ${timeoutMs / 1000} s` : quota;
}
