import { bucketHorizonMs, mostOwed } from "./bounds.js";
import { type Debt, untakeDebt } from "./debt.js";
import { ceil, type ExactQuota, max, min } from "./rule.js";

/** The water in a bucket at a moment, in `1 / periodMs` of a unit. */
interface Water {
  readonly level: bigint;
  readonly at: bigint;
}

/**
 * A bucket that drains `limit` units each period and overflows above `burst`; a call passes if and only if it makes the bucket
 * not overflow. A call that may wait is paced: it goes in the millisecond in which the last of what is before it drains.
 */
export class LeakyBucketRule implements Debt<Water> {
  readonly fresh: Water = { level: 0n, at: 0n };
  readonly capacity: bigint;
  readonly refillMs: bigint;
  readonly horizonMs: bigint;
  /** What drains each millisecond, one unit, the height of the bucket, and the most that is booked, all in `1 / periodMs`. */
  readonly #drain: bigint;
  readonly #unit: bigint;
  readonly #height: bigint;
  readonly #brim: bigint;

  constructor(quota: ExactQuota) {
    this.#drain = quota.limit;
    this.#unit = quota.periodMs;
    this.#height = quota.burst * this.#unit;
    this.#brim = mostOwed(quota);
    this.capacity = quota.burst;
    this.refillMs = ceil(this.#height, this.#drain);
    this.horizonMs = bucketHorizonMs(quota);
  }

  /** Before the moment of a place that was booked, the bucket holds what is yet to drain until then. */
  #level({ level, at }: Water, moment: bigint): bigint {
    return max(level - (moment - at) * this.#drain, 0n);
  }

  fits(state: Water, moment: bigint, cost: bigint, queued: boolean): boolean {
    const level = this.#level(state, moment);
    const isItsTurn = !queued || level < this.#drain;
    return isItsTurn && level + cost * this.#unit <= this.#height;
  }

  left(state: Water, moment: bigint): bigint {
    return max(this.#height - this.#level(state, moment), 0n) / this.#unit;
  }

  isFresh(state: Water, moment: bigint): boolean {
    return this.#level(state, moment) === 0n;
  }

  take(state: Water, moment: bigint, cost: bigint): Water {
    const level = this.#level(state, moment) + cost * this.#unit;
    return { level: max(min(level, this.#brim), 0n), at: moment };
  }

  untake(state: Water, moment: bigint, cost: bigint, before: Water, after: Water): Water {
    return untakeDebt(this, state, moment, cost, before, after);
  }

  usedUp(state: Water, at: bigint, now: bigint): Water {
    return { level: max(this.#level(state, at), this.#height), at: now };
  }

  owed(state: Water, moment: bigint): bigint {
    return this.#level(state, moment);
  }

  owing(owed: bigint, moment: bigint): Water {
    return { level: owed, at: moment };
  }

  guessFit({ level, at }: Water, _from: bigint, cost: bigint, queued: boolean): bigint {
    const room = this.#height - cost * this.#unit;
    return at + (level - (queued ? min(room, this.#drain - 1n) : room)) / this.#drain;
  }

  guessFresh({ level, at }: Water): bigint {
    return at + level / this.#drain;
  }
}
