/**
 * The five rules as the documentation states them, each over what one key did under one quota. Moments and units are
 * bigints, so that nothing is ever rounded. They share nothing with the library.
 */

/** One key under one quota. */
export interface Rule {
  /** Whether `cost` fits at a moment; `queued` calls may wait for their turn. */
  fits(moment: bigint, cost: bigint, queued: boolean): boolean;
  /** Takes `cost` at a moment, whether it fits or not; below 0 it gives back. */
  take(moment: bigint, cost: bigint): void;
  /** Units that can be spent at a moment. */
  left(moment: bigint): bigint;
  /** Whether the key is as good as fresh from a moment on. */
  isFresh(moment: bigint): boolean;
}

export interface RuleQuota {
  readonly limit: number;
  readonly periodMs: number;
  readonly burst: number;
}

export const max = (one: bigint, other: bigint): bigint => (one > other ? one : other);
const min = (one: bigint, other: bigint): bigint => (one < other ? one : other);

/** Numbers of units by window, most of which are 0. */
class Windows {
  readonly #used = new Map<bigint, bigint>();
  readonly limit: bigint;
  readonly periodMs: bigint;
  /** The last window in which anything was spent or booked: nothing goes into one before it any more. */
  last = 0n;

  constructor({ limit, periodMs }: RuleQuota) {
    this.limit = BigInt(limit);
    this.periodMs = BigInt(periodMs);
  }

  of(moment: bigint): bigint {
    return moment / this.periodMs;
  }

  used(window: bigint): bigint {
    return this.#used.get(window) ?? 0n;
  }

  /** Puts units into a window, and what is beyond the limit into those that follow. */
  take(moment: bigint, cost: bigint): void {
    let rest = cost;
    this.last = max(this.last, this.of(moment));
    while (this.used(this.last) + rest > this.limit) {
      rest -= this.limit - this.used(this.last);
      this.#used.set(this.last++, this.limit);
    }
    this.#used.set(this.last, this.used(this.last) + rest);
  }

  /** Takes units out of a window, down to none; answers with those that are left to give back. */
  giveBack(window: bigint, units: bigint): bigint {
    const some = min(units, this.used(window));
    this.#used.set(window, this.used(window) - some);
    return units - some;
  }
}

class FixedWindowRule implements Rule {
  readonly #windows: Windows;

  constructor(quota: RuleQuota) {
    this.#windows = new Windows(quota);
  }

  fits(moment: bigint, cost: bigint): boolean {
    const window = this.#windows.of(moment);
    return window >= this.#windows.last && this.#windows.used(window) + cost <= this.#windows.limit;
  }

  take(moment: bigint, cost: bigint): void {
    if (cost > 0n) this.#windows.take(moment, cost);
    else this.#windows.giveBack(this.#windows.of(moment), -cost);
  }

  left(moment: bigint): bigint {
    const window = this.#windows.of(moment);
    return window < this.#windows.last ? 0n : this.#windows.limit - this.#windows.used(window);
  }

  isFresh(moment: bigint): boolean {
    return this.left(moment) === this.#windows.limit;
  }
}

class SlidingWindowRule implements Rule {
  readonly #windows: Windows;

  constructor(quota: RuleQuota) {
    this.#windows = new Windows(quota);
  }

  /** What counts of the window before, rounded up, and this window's use; the running millisecond counts as over. */
  #weighted(moment: bigint): bigint {
    const { periodMs } = this.#windows;
    const window = this.#windows.of(moment);
    const left = periodMs - 1n - (moment % periodMs);
    const before = (this.#windows.used(window - 1n) * left + periodMs - 1n) / periodMs;
    return before + this.#windows.used(window);
  }

  fits(moment: bigint, cost: bigint): boolean {
    const { last, limit } = this.#windows;
    return this.#windows.of(moment) >= last && this.#weighted(moment) + cost <= limit;
  }

  take(moment: bigint, cost: bigint): void {
    const window = this.#windows.of(moment);
    if (cost > 0n) this.#windows.take(moment, cost);
    else this.#windows.giveBack(window - 1n, this.#windows.giveBack(window, -cost));
  }

  left(moment: bigint): bigint {
    const { last, limit } = this.#windows;
    return this.#windows.of(moment) < last ? 0n : max(limit - this.#weighted(moment), 0n);
  }

  isFresh(moment: bigint): boolean {
    return this.left(moment) === this.#windows.limit;
  }
}

/** Tokens as of a moment, in `1 / periodMs` of a token. */
class TokenBucketRule implements Rule {
  readonly #limit: bigint;
  readonly #token: bigint;
  readonly #full: bigint;
  #tokens: bigint;
  #moment = 0n;

  constructor({ limit, periodMs, burst }: RuleQuota) {
    this.#limit = BigInt(limit);
    this.#token = BigInt(periodMs);
    this.#full = BigInt(burst) * this.#token;
    this.#tokens = this.#full;
  }

  /** Before the moment of the last booking the bucket lacks what is yet to come until then. */
  #at(moment: bigint): bigint {
    return min(this.#full, this.#tokens + (moment - this.#moment) * this.#limit);
  }

  fits(moment: bigint, cost: bigint): boolean {
    return this.#at(moment) >= cost * this.#token;
  }

  take(moment: bigint, cost: bigint): void {
    this.#tokens = min(this.#full, this.#at(moment) - cost * this.#token);
    this.#moment = moment;
  }

  left(moment: bigint): bigint {
    return max(this.#at(moment), 0n) / this.#token;
  }

  isFresh(moment: bigint): boolean {
    return this.#at(moment) === this.#full;
  }
}

/** The water in the bucket as of a moment, in `1 / periodMs` of a unit. */
class LeakyBucketRule implements Rule {
  readonly #limit: bigint;
  readonly #unit: bigint;
  readonly #full: bigint;
  #water = 0n;
  #moment = 0n;

  constructor({ limit, periodMs, burst }: RuleQuota) {
    this.#limit = BigInt(limit);
    this.#unit = BigInt(periodMs);
    this.#full = BigInt(burst) * this.#unit;
  }

  /** Before the moment of the last booking it holds what is yet to drain until then. */
  #at(moment: bigint): bigint {
    const water = this.#water - (moment - this.#moment) * this.#limit;
    return max(water, 0n);
  }

  fits(moment: bigint, cost: bigint, queued: boolean): boolean {
    // A call that waits goes in the millisecond in which all before it drains: in the next one nothing is left.
    if (queued && this.#at(moment) >= this.#limit) return false;
    return this.#at(moment) + cost * this.#unit <= this.#full;
  }

  take(moment: bigint, cost: bigint): void {
    this.#water = max(this.#at(moment) + cost * this.#unit, 0n);
    this.#moment = moment;
  }

  left(moment: bigint): bigint {
    return max(this.#full - this.#at(moment), 0n) / this.#unit;
  }

  isFresh(moment: bigint): boolean {
    return this.#at(moment) === 0n;
  }
}

/** The theoretical arrival time, in `1 / limit` of a millisecond. */
class GcraRule implements Rule {
  readonly #limit: bigint;
  /** The emission interval, and how far ahead of now the arrival time may be after a call. */
  readonly #interval: bigint;
  readonly #tolerance: bigint;
  #arrival = 0n;

  constructor({ limit, periodMs, burst }: RuleQuota) {
    this.#limit = BigInt(limit);
    this.#interval = BigInt(periodMs);
    this.#tolerance = BigInt(burst) * this.#interval;
  }

  #next(moment: bigint, cost: bigint): bigint {
    return max(this.#arrival, moment * this.#limit) + cost * this.#interval;
  }

  fits(moment: bigint, cost: bigint): boolean {
    return this.#next(moment, cost) <= moment * this.#limit + this.#tolerance;
  }

  take(moment: bigint, cost: bigint): void {
    this.#arrival = this.#next(moment, cost);
  }

  left(moment: bigint): bigint {
    return max(moment * this.#limit + this.#tolerance - this.#next(moment, 0n), 0n) / this.#interval;
  }

  isFresh(moment: bigint): boolean {
    return this.#arrival <= moment * this.#limit;
  }
}

export const RULES = {
  "fixed-window": FixedWindowRule,
  "sliding-window": SlidingWindowRule,
  "token-bucket": TokenBucketRule,
  "leaky-bucket": LeakyBucketRule,
  gcra: GcraRule,
} as const satisfies Record<string, new (quota: RuleQuota) => Rule>;
