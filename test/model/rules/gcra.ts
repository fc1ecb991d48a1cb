import { bucketHorizonMs, mostOwed } from "./bounds.js";
import { type Debt, untakeDebt } from "./debt.js";
import { ceil, type ExactQuota, max, min } from "./rule.js";

/** The theoretical arrival time, in `1 / limit` of a millisecond since the epoch. */
type Arrival = bigint;

/**
 * The generic cell rate algorithm: until its theoretical arrival time all that passed is paid for. A call passes if and only if
 * max(TAT, now) + cost · P/L ≤ now + burst · P/L.
 */
export class GcraRule implements Debt<Arrival> {
  readonly fresh: Arrival = 0n;
  readonly capacity: bigint;
  readonly refillMs: bigint;
  readonly horizonMs: bigint;
  readonly #limit: bigint;
  /** The emission interval P/L, the burst's worth of it, and how far ahead the arrival time may be, in `1 / limit` ms. */
  readonly #interval: bigint;
  readonly #tolerance: bigint;
  readonly #farthest: bigint;

  constructor(quota: ExactQuota) {
    this.#limit = quota.limit;
    this.#interval = quota.periodMs;
    this.#tolerance = quota.burst * this.#interval;
    this.#farthest = mostOwed(quota);
    this.capacity = quota.burst;
    this.refillMs = ceil(this.#tolerance, this.#limit);
    this.horizonMs = bucketHorizonMs(quota);
  }

  /** A moment in `1 / limit` ms. */
  #exactly(moment: bigint): bigint {
    return moment * this.#limit;
  }

  fits(arrival: Arrival, moment: bigint, cost: bigint): boolean {
    const now = this.#exactly(moment);
    return max(arrival, now) + cost * this.#interval <= now + this.#tolerance;
  }

  left(arrival: Arrival, moment: bigint): bigint {
    const now = this.#exactly(moment);
    return max(now + this.#tolerance - max(arrival, now), 0n) / this.#interval;
  }

  isFresh(arrival: Arrival, moment: bigint): boolean {
    return arrival <= this.#exactly(moment);
  }

  take(arrival: Arrival, moment: bigint, cost: bigint): Arrival {
    const now = this.#exactly(moment);
    const next = max(arrival, now) + cost * this.#interval;
    return max(min(next, now + this.#farthest), now);
  }

  untake(arrival: Arrival, moment: bigint, cost: bigint, before: Arrival, after: Arrival): Arrival {
    return untakeDebt(this, arrival, moment, cost, before, after);
  }

  usedUp(arrival: Arrival, at: bigint, now: bigint): Arrival {
    return this.owing(max(this.owed(arrival, at), this.#tolerance), now);
  }

  owed(arrival: Arrival, moment: bigint): bigint {
    return max(arrival - this.#exactly(moment), 0n);
  }

  owing(owed: bigint, moment: bigint): Arrival {
    return this.#exactly(moment) + owed;
  }

  guessFit(arrival: Arrival, _from: bigint, cost: bigint): bigint {
    return (arrival + cost * this.#interval - this.#tolerance) / this.#limit;
  }

  guessFresh(arrival: Arrival): bigint {
    return arrival / this.#limit;
  }
}
