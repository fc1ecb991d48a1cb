import type { Quota } from "../quota.js";
import { type Algorithm, LAST_MOMENT_MS, type Numbers, refuseBurst } from "./algorithm.js";

const NAME = "sliding-window";

/**
 * At most `limit` units in this window and what still counts of the one before, whose weight falls from all to nothing
 * while this window passes. The state is three numbers, as of the last window in which something was spent or booked: what
 * was used before it, what is used in it, and how many windows it is ahead of now.
 * The sliding window counter of Cloudflare, "How we built rate limiting capable of scaling to millions of domains" (2017).
 */
export class SlidingWindow implements Algorithm {
  static readonly algorithmName: string = NAME;
  readonly size = 3;
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs: number;
  readonly #limit: number;
  readonly #periodMs: number;
  /** The furthest window ahead of now, so that every moment derived from it is exact. */
  readonly #furthest: number;

  constructor(quota: Quota) {
    refuseBurst(NAME, quota);
    const { limit, periodMs } = quota;
    this.capacity = limit;
    this.refillMs = periodMs;
    this.#furthest = Math.max(0, Math.floor(LAST_MOMENT_MS / periodMs) - 2);
    this.horizonMs = Math.max(0, this.#furthest - 1) * periodMs;
    this.#limit = limit;
    this.#periodMs = periodMs;
  }

  advance(numbers: Numbers, i: number, from: number, now: number): void {
    const windows = this.#passed(from, now);
    const ahead = numbers[i + 2]! - windows;
    if (ahead >= 0) numbers[i + 2] = ahead;
    else set(numbers, i, ahead === -1 ? numbers[i + 1]! : 0, 0, 0);
  }

  wait(numbers: Numbers, i: number, from: number, now: number, cost: number, _queued: boolean): number {
    if (cost > this.#limit) return Number.POSITIVE_INFINITY;
    const free = this.#limit - cost;
    const left = numbers[i + 2]! - this.#passed(from, now);
    const current = left >= 0 ? numbers[i + 1]! : 0;
    const ahead = (left > 0 ? left : 0) * this.#periodMs - this.#elapsed(now);
    if (current > free) return ahead + this.#periodMs + this.#decayed(current, free);
    return Math.max(ahead + this.#decayed(previousOf(numbers, i, left), free - current), 0);
  }

  spend(numbers: Numbers, i: number, from: number, now: number, cost: number): number {
    const used = numbers[i + 1]! + cost;
    const isNow = numbers[i + 2] === 0 && this.#passed(from, now) === 0;
    if (isNow && used + this.#weighted(numbers[i]!, now) <= this.#limit) {
      numbers[i + 1] = used;
      return 0;
    }
    const wait = this.wait(numbers, i, from, now, cost, false);
    if (wait === 0) this.charge(numbers, i, from, now, cost);
    return wait;
  }

  charge(numbers: Numbers, i: number, from: number, now: number, cost: number): void {
    this.advance(numbers, i, from, now);
    const used = numbers[i + 1]! + cost;
    if (used < 0) this.#giveBack(numbers, i, 0, -used);
    else if (used <= this.#limit) numbers[i + 1] = used;
    else {
      const units = Math.min(used, Number.MAX_SAFE_INTEGER);
      const windows = Math.ceil(units / this.#limit) - 1;
      const ahead = numbers[i + 2]! + windows;
      if (ahead > this.#furthest) set(numbers, i, this.#limit, this.#limit, this.#furthest);
      else set(numbers, i, this.#limit, units - windows * this.#limit, ahead);
    }
  }

  unbook(numbers: Numbers, i: number, before: Numbers, after: Numbers, now: number, cost: number): void {
    if ([i, i + 1, i + 2].every((each) => numbers[each] === after[each])) {
      set(numbers, i, before[i]!, before[i + 1]!, before[i + 2]!);
      return;
    }
    // What a booking left unused of the windows that it passed over is given back with it. Full windows and units are counted
    // apart, as their sum may be above 2^53.
    const windows = after[i + 2]! - before[i + 2]!;
    const units = after[i + 1]! - before[i + 1]!;
    const current = numbers[i + 1]!;
    const left = current - windows * this.#limit - units;
    if ((numbers[i + 2]! - windows) * this.#limit + current < units) this.charge(numbers, i, now, now, -cost);
    else if (left >= 0) numbers[i + 1] = left;
    else this.#giveBack(numbers, i, windows, units - current);
  }

  exhaust(numbers: Numbers, i: number, now: number): void {
    if (numbers[i + 2] !== 0) return;
    set(numbers, i, this.#limit, this.#limit - this.#weighted(this.#limit, now), 0);
  }

  remaining(numbers: Numbers, i: number, from: number, now: number): number {
    const left = numbers[i + 2]! - this.#passed(from, now);
    if (left > 0) return 0;
    const current = left === 0 ? numbers[i + 1]! : 0;
    return Math.max(this.#limit - this.#weighted(previousOf(numbers, i, left), now) - current, 0);
  }

  resetAfterMs(numbers: Numbers, i: number, from: number, now: number): number {
    const left = numbers[i + 2]! - this.#passed(from, now);
    const windows = numbers[i + 1]! > 0 ? left + 2 : numbers[i]! > 0 ? left + 1 : 0;
    if (windows > 0) return windows * this.#periodMs - 1 - this.#elapsed(now);
    // Of a place that was given back, its window is left, before which nothing passes.
    return left > 0 ? left * this.#periodMs - this.#elapsed(now) : 0;
  }

  /**
   * What still counts now of the window before: rounded up, as rounded down it would let up to one unit too many pass, and
   * with this millisecond as good as over, as otherwise the last unit of a window would never pass.
   */
  #weighted(previous: number, now: number): number {
    if (previous === 0) return 0;
    return Math.ceil((previous * (this.#periodMs - 1 - this.#elapsed(now))) / this.#periodMs);
  }

  /** Milliseconds into a window from which at most `most` still counts of `previous`. */
  #decayed(previous: number, most: number): number {
    return previous <= most ? 0 : this.#periodMs - 1 - Math.floor((most * this.#periodMs) / previous);
  }

  /** How many windows have ended between two moments. */
  #passed(from: number, now: number): number {
    return from === now ? 0 : this.#window(now) - this.#window(from);
  }

  #window(moment: number): number {
    return Math.floor(moment / this.#periodMs);
  }

  /** Milliseconds since the window began; the remainder operator is many times slower on numbers of this size. */
  #elapsed(now: number): number {
    return now - this.#window(now) * this.#periodMs;
  }

  /**
   * Gives back so many full windows and `units` to the windows before the last one; those between it and now were full, or
   * nothing would be booked after them.
   */
  #giveBack(numbers: Numbers, i: number, windows: number, units: number): void {
    const previous = numbers[i]!;
    const ahead = numbers[i + 2]!;
    if (ahead === 0) {
      set(numbers, i, Math.max(previous - units, 0), 0, 0);
      return;
    }
    const passed = Math.max(windows + Math.ceil((units - previous) / this.#limit), 0);
    const current = previous + (passed - windows) * this.#limit - units;
    const left = ahead - 1 - passed;
    if (left < 0 || (left === 0 && current === 0)) set(numbers, i, 0, 0, 0);
    else set(numbers, i, this.#limit, current, left);
  }
}

/** What was used in the window before the last one, which is `left` windows ahead. */
function previousOf(numbers: Numbers, i: number, left: number): number {
  return left >= 0 ? numbers[i]! : left === -1 ? numbers[i + 1]! : 0;
}

function set(numbers: Numbers, i: number, previous: number, current: number, ahead: number): void {
  numbers[i] = previous;
  numbers[i + 1] = current;
  numbers[i + 2] = ahead;
}
