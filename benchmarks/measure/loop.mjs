// @ts-check
// Imported once for each loop, under a query of its own: every copy is compiled for the one thing that it calls.

/**
 * What is measured: a call, and what is read of its answer so that the call cannot be optimised away.
 * @typedef {object} Subject
 * @property {(key: string) => unknown} call
 * @property {(answer: any) => number} read below 0 for a call that was refused
 */

/** @typedef {(calls: number) => void | Promise<void>} Run makes so many calls */

/** What was read so far, for everyone to see: a number that nobody could see need not be computed. */
export const seen = { sum: 0 };

/** @param {Subject} subject @param {readonly string[]} order @returns {Run} */
export function syncLoop({ call, read }, order) {
  const last = order.length - 1;
  let at = 0;
  return (calls) => {
    let sum = 0;
    for (let i = 0; i < calls; i++) {
      sum += read(call(/** @type {string} */ (order[at])));
      at = (at + 1) & last;
    }
    seen.sum += sum;
  };
}

/** A refusal may come as a rejection, as it does from rate-limiter-flexible. @param {Subject} subject @param {readonly string[]} order @returns {Run} */
export function awaitedLoop({ call, read }, order) {
  const last = order.length - 1;
  let at = 0;
  return async (calls) => {
    let sum = 0;
    for (let i = 0; i < calls; i++) {
      try {
        sum += read(await call(/** @type {string} */ (order[at])));
      } catch (refusal) {
        if (refusal instanceof Error) throw refusal;
        sum += read(refusal);
      }
      at = (at + 1) & last;
    }
    seen.sum += sum;
  };
}

/**
 * Keys go in by the batch; `calls` counts keys.
 * @param {{ call: (keys: readonly string[]) => unknown, read: Subject["read"] }} subject whose answers come as an array
 * @param {readonly (readonly string[])[]} batches
 * @returns {Run}
 */
export function batchLoop({ call, read }, batches) {
  const last = batches.length - 1;
  let at = 0;
  return async (calls) => {
    let sum = 0;
    for (let made = 0; made < calls; ) {
      const answers = /** @type {unknown[]} */ (await call(/** @type {readonly string[]} */ (batches[at])));
      for (const answer of answers) sum += read(answer);
      made += answers.length;
      at = (at + 1) & last;
    }
    seen.sum += sum;
  };
}

/**
 * Each call gets a key that was never used before; they are made by `prepare`, outside of what is timed.
 * @param {Subject} subject
 * @param {(count: number) => readonly string[]} freshKeys
 */
export function freshKeyLoop({ call, read }, freshKeys) {
  /** @type {readonly string[]} */
  let keys = [];
  /** @param {number} calls */
  const prepare = (calls) => {
    keys = freshKeys(calls);
  };
  /** @type {Run} */
  const run = (calls) => {
    let sum = 0;
    for (let i = 0; i < calls; i++) sum += read(call(/** @type {string} */ (keys[i])));
    seen.sum += sum;
  };
  return { prepare, run };
}

let copies = 0;

/** A copy of this module that nothing ran through yet. @returns {Promise<typeof import("./loop.mjs")>} */
export function freshLoops() {
  copies++;
  return import(`./loop.mjs?copy=${copies}`);
}
