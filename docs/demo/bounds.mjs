// @ts-check
// What the quotas promise, checked on what the servers saw. An answer is known to fall between two moments, and every
// check gives it the benefit of exactly that: no tolerance is added in which a broken limiter could hide.

/** @typedef {Pick<import("./traffic.mjs").Answer, "limited" | "from" | "to">} Answer */
/** @typedef {import("throttled").Quota & { timeoutMs: number }} Quota */

/**
 * The promise of one algorithm.
 * @typedef {object} Promised
 * @property {(from: number, to: number) => number} atMost how many may pass from one moment to another, both included
 * @property {(refused: Answer, passed: readonly Answer[]) => boolean} hadReason whether those that passed may have left no room
 */

/**
 * @param {string} using
 * @param {Quota} quota
 * @param {readonly Answer[]} answers
 * @returns {{ atMost: number, problems: string[] }} the most that may have passed in all, and every promise that was broken
 */
export function judge(using, quota, answers) {
  const promised = promiseOf(using, quota);
  const passed = answers.filter(({ limited }) => !limited);
  const refused = answers.filter(({ limited }) => limited);
  const begin = Math.min(...passed.map(({ from }) => from));
  const end = Math.max(...passed.map(({ to }) => to));
  const problems = [crowd(promised, passed), harshness(promised, passed, refused)];
  if (refused.length === 0) problems.push("nothing was limited, so nothing was shown");
  return {
    atMost: passed.length === 0 ? 0 : promised.atMost(begin, end),
    problems: problems.filter((problem) => problem !== undefined),
  };
}

/**
 * The worst interval in which more passed than may, whatever its length.
 * @param {Promised} promised
 * @param {readonly Answer[]} passed
 */
function crowd({ atMost }, passed) {
  const byEnd = [...passed].sort((one, other) => one.to - other.to);
  let [worst, problem] = [0, /** @type {string | undefined} */ (undefined)];
  for (const { from } of passed) {
    let count = 0;
    for (const { to } of byEnd.filter((each) => each.from >= from)) {
      count++;
      const most = atMost(from, to);
      if (count - most <= worst) continue;
      worst = count - most;
      problem = `${count} passed within ${to - from + 1} ms, at most ${most} may`;
    }
  }
  return problem;
}

/**
 * How many were refused although there was room.
 * @param {Promised} promised
 * @param {readonly Answer[]} passed
 * @param {readonly Answer[]} refused
 */
function harshness({ hadReason }, passed, refused) {
  const latestFirst = [...passed].sort((one, other) => other.to - one.to);
  const wrong = refused.filter((answer) => {
    const before = latestFirst.filter(({ from }) => from <= answer.to);
    return !hadReason(answer, before);
  });
  return wrong.length > 0 ? `${wrong.length} were limited although there was room` : undefined;
}

/**
 * @param {string} using
 * @param {Quota} quota
 * @returns {Promised}
 */
function promiseOf(using, quota) {
  if (using === "fixed-window") return fixedWindow(quota);
  if (using === "sliding-window") return slidingWindow(quota);
  return quota.timeoutMs > 0 ? pacedBucket(quota) : bucket(quota);
}

/** @param {Quota} quota @returns {Promised} */
function fixedWindow({ limit, periodMs }) {
  return {
    atMost: (from, to) => limit * touched(from, to, periodMs),
    hadReason: ({ from, to }, passed) =>
      windows(from, to, periodMs).some((start) => within(passed, start, periodMs) >= limit),
  };
}

/** @param {Quota} quota @returns {Promised} */
function slidingWindow({ limit, periodMs }) {
  return {
    atMost: (from, to) => {
      const aligned = limit * touched(from, to, periodMs);
      const span = to - from + 1;
      return span < periodMs ? Math.min(aligned, limit + Math.ceil((limit * span) / periodMs) - 1) : aligned;
    },
    hadReason: ({ from, to }, passed) =>
      windows(from, to, periodMs).some((start) => {
        const left = periodMs - 1 - Math.max(from - start, 0);
        const previous = Math.ceil((within(passed, start - periodMs, periodMs) * left) / periodMs);
        return previous + within(passed, start, periodMs) >= limit;
      }),
  };
}

/** Token bucket and GCRA. @param {Quota} quota @returns {Promised} */
function bucket({ limit, periodMs, burst }) {
  return {
    atMost: (from, to) => burst + Math.floor(((to - from) * limit) / periodMs),
    hadReason: ({ from }, passed) =>
      passed.some(({ to }, i) => {
        const drained = Math.max(from - to, 0) * limit;
        return (i + 1) * periodMs - drained > (burst - 1) * periodMs;
      }),
  };
}

/** A bucket whose calls wait: one at a time, and refused only if the queue is longer than they would wait. @param {Quota} quota @returns {Promised} */
function pacedBucket({ limit, periodMs, timeoutMs }) {
  return {
    // One goes in the millisecond in which all before it has drained, which may be a part of a millisecond early.
    atMost: (from, to) => 1 + Math.floor(((to - from) * limit + limit - 1) / periodMs),
    hadReason: ({ from }, passed) =>
      passed.some(({ to }) => to + Math.ceil(periodMs / limit) - from > timeoutMs),
  };
}

/** How many windows an interval touches. @param {number} from @param {number} to @param {number} periodMs */
function touched(from, to, periodMs) {
  return Math.floor(to / periodMs) - Math.floor(from / periodMs) + 1;
}

/** The beginnings of the windows that an interval touches. @param {number} from @param {number} to @param {number} periodMs */
function windows(from, to, periodMs) {
  const first = Math.floor(from / periodMs);
  return Array.from({ length: touched(from, to, periodMs) }, (_, i) => (first + i) * periodMs);
}

/** How many may have passed in a window. @param {readonly Answer[]} passed @param {number} start @param {number} periodMs */
function within(passed, start, periodMs) {
  return passed.filter(({ from, to }) => to >= start && from < start + periodMs).length;
}
