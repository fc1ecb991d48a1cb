import { mostFixedWindows } from "./bounds.js";
import { type Debt, untakeDebt } from "./debt.js";
import { type ExactQuota, max, min } from "./rule.js";

/** The end of the line: each window has `limit` places, that of the epoch those from 0 on, and so on. */
type End = bigint;

/**
 * At most `limit` units in each window, aligned to the epoch: who comes takes the next places of the window that it comes in.
 * Those who wait take places of a window to come; those before them that nobody took are taken with them.
 */
export class FixedWindowRule implements Debt<End> {
  readonly fresh: End = 0n;
  readonly capacity: bigint;
  readonly refillMs: bigint;
  readonly horizonMs: bigint;
  readonly #limit: bigint;
  readonly #periodMs: bigint;
  readonly #most: bigint;

  constructor(quota: ExactQuota) {
    const { limit, periodMs } = quota;
    const windows = mostFixedWindows(quota);
    this.capacity = limit;
    this.refillMs = periodMs;
    this.horizonMs = (windows - 1n) * periodMs;
    this.#limit = limit;
    this.#periodMs = periodMs;
    this.#most = windows * limit;
  }

  /** The first place of the window of a moment. */
  #begin(moment: bigint): bigint {
    return (moment / this.#periodMs) * this.#limit;
  }

  fits(end: End, moment: bigint, cost: bigint): boolean {
    const begin = this.#begin(moment);
    return max(end, begin) + cost <= begin + this.#limit;
  }

  left(end: End, moment: bigint): bigint {
    const begin = this.#begin(moment);
    return max(begin + this.#limit - max(end, begin), 0n);
  }

  isFresh(end: End, moment: bigint): boolean {
    return end <= this.#begin(moment);
  }

  take(end: End, moment: bigint, cost: bigint): End {
    const begin = this.#begin(moment);
    return max(min(max(end, begin) + cost, begin + this.#most), begin);
  }

  untake(end: End, moment: bigint, cost: bigint, before: End, after: End): End {
    return untakeDebt(this, end, moment, cost, before, after);
  }

  usedUp(end: End, at: bigint, now: bigint): End {
    return this.owing(max(this.owed(end, at), this.#limit), now);
  }

  owed(end: End, moment: bigint): bigint {
    return max(end - this.#begin(moment), 0n);
  }

  owing(owed: bigint, moment: bigint): End {
    return this.#begin(moment) + owed;
  }

  guessFit(end: End, from: bigint, cost: bigint): bigint {
    const window = (end / this.#limit) * this.#periodMs;
    return window > from && this.fits(end, window, cost) ? window : window + this.#periodMs;
  }

  guessFresh(end: End): bigint {
    return ((end + this.#limit - 1n) / this.#limit) * this.#periodMs;
  }
}
