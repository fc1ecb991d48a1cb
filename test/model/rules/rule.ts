/** A quota in numbers that are never rounded. */
export interface ExactQuota {
  readonly limit: bigint;
  readonly periodMs: bigint;
  readonly burst: bigint;
}

/**
 * What one algorithm says about one key under one quota, as the documentation has it. Moments are whole milliseconds since the
 * epoch, and a state is never changed: what happens to a key makes the next one. A state can be asked about any moment, also
 * one before a place that was booked.
 */
export interface Rule<State> {
  /** The state of a key that was never used. */
  readonly fresh: State;
  /** The most that a fresh key can spend at once. */
  readonly capacity: bigint;
  /** Milliseconds in which a key recovers that was used up. */
  readonly refillMs: bigint;
  /** How far ahead of now a place can be booked, in milliseconds. */
  readonly horizonMs: bigint;
  /** Whether `cost`, 1 or more, fits at a moment. `queued` calls may wait for their turn. */
  fits(state: State, moment: bigint, cost: bigint, queued: boolean): boolean;
  /** Units that can be spent at a moment. */
  left(state: State, moment: bigint): bigint;
  /** Whether the key is as good as fresh from a moment on. */
  isFresh(state: State, moment: bigint): boolean;
  /** After `cost` was taken at a moment, whether it fits or not; below 0 it is given back, never above a fresh key. */
  take(state: State, moment: bigint, cost: bigint): State;
  /** After a booking of `cost` that led from `before` to `after` is taken back at a moment. */
  untake(state: State, moment: bigint, cost: bigint, before: State, after: State): State;
  /** As just used up at `now`, or owing more as it did at the moment `at`, when the clock was set back from there. */
  usedUp(state: State, at: bigint, now: bigint): State;
  /** About when `cost` fits, not before `from`. A guess: the rule is `fits`. */
  guessFit(state: State, from: bigint, cost: bigint, queued: boolean): bigint;
  /** About when the key is as good as fresh, not before `from`. A guess: the rule is `isFresh`. */
  guessFresh(state: State, from: bigint): bigint;
}

/** A guess that is further off is a mistake in the model. */
const FARTHEST_OFF = 1_000;

/** The first moment from `from` on of which something is true that stays true; the guess says where to look first. */
export function firstMoment(from: bigint, guess: bigint, isTrue: (moment: bigint) => boolean): bigint {
  if (isTrue(from)) return from;
  let moment = max(guess, from + 1n);
  for (let i = 0; i < FARTHEST_OFF; i++) {
    if (!isTrue(moment)) moment++;
    else if (moment - 1n > from && isTrue(moment - 1n)) moment--;
    else return moment;
  }
  throw new Error(`The model guessed ${guess}, which is far off`);
}

export function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

export function min(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

/** A quotient of whole numbers of which neither is below 0, rounded up. */
export function ceil(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
