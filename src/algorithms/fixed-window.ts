import type { Quota } from "../quota.js";
import { type Algorithm, LAST_MOMENT_MS, type Numbers, refuseBurst } from "./algorithm.js";

const NAME = "fixed-window";

/**
 * At most `limit` units in each window of `periodMs`, aligned to the epoch. The state is one number, the units used since
 * the window began; those above the limit are booked in the windows that follow, `limit` to each.
 */
export class FixedWindow implements Algorithm {
  static readonly algorithmName: string = NAME;
  readonly size = 1;
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs: number;
  readonly #limit: number;
  readonly #periodMs: number;
  /** The most that may be used and booked, so that every number derived from it is exact. */
  readonly #most: number;

  constructor(quota: Quota) {
    refuseBurst(NAME, quota);
    const { limit, periodMs } = quota;
    const windows = Math.max(
      1,
      Math.floor(Math.min(Number.MAX_SAFE_INTEGER / limit, LAST_MOMENT_MS / periodMs)) - 2,
    );
    this.capacity = limit;
    this.refillMs = periodMs;
    this.horizonMs = (windows - 1) * periodMs;
    this.#limit = limit;
    this.#periodMs = periodMs;
    this.#most = windows * limit;
  }

  advance(numbers: Numbers, i: number, from: number, now: number): void {
    numbers[i] = this.#used(numbers, i, from, now);
  }

  wait(numbers: Numbers, i: number, from: number, now: number, cost: number, _queued: boolean): number {
    if (cost > this.#limit) return Number.POSITIVE_INFINITY;
    const used = this.#used(numbers, i, from, now);
    if (used + cost <= this.#limit) return 0;
    const full = Math.floor(used / this.#limit);
    const fits = used - full * this.#limit + cost <= this.#limit;
    return (full + (fits ? 0 : 1)) * this.#periodMs - this.#elapsed(now);
  }

  spend(numbers: Numbers, i: number, from: number, now: number, cost: number): number {
    const used = this.#used(numbers, i, from, now) + cost;
    if (used > this.#limit) return this.wait(numbers, i, from, now, cost, false);
    numbers[i] = used;
    return 0;
  }

  charge(numbers: Numbers, i: number, from: number, now: number, cost: number): void {
    const used = this.#used(numbers, i, from, now) + cost;
    numbers[i] = Math.max(Math.min(used, this.#most), 0);
  }

  unbook(numbers: Numbers, i: number, before: Numbers, after: Numbers, now: number, cost: number): void {
    const left = numbers[i]! - (after[i]! - before[i]!);
    // Less than nothing is left of a key that was reset since then.
    if (left >= 0) numbers[i] = left;
    else this.charge(numbers, i, now, now, -cost);
  }

  exhaust(numbers: Numbers, i: number, _now: number): void {
    numbers[i] = Math.max(numbers[i]!, this.#limit);
  }

  remaining(numbers: Numbers, i: number, from: number, now: number): number {
    return Math.max(this.#limit - this.#used(numbers, i, from, now), 0);
  }

  resetAfterMs(numbers: Numbers, i: number, from: number, now: number): number {
    const used = this.#used(numbers, i, from, now);
    if (used === 0) return 0;
    const windows = used <= this.#limit ? 1 : Math.ceil(used / this.#limit);
    return windows * this.#periodMs - this.#elapsed(now);
  }

  #used(numbers: Numbers, i: number, from: number, now: number): number {
    if (from === now) return numbers[i]!;
    const used = numbers[i]! - (this.#window(now) - this.#window(from)) * this.#limit;
    return used > 0 ? used : 0;
  }

  #window(moment: number): number {
    return Math.floor(moment / this.#periodMs);
  }

  /** Milliseconds since the window began; the remainder operator is many times slower on numbers of this size. */
  #elapsed(now: number): number {
    return now - this.#window(now) * this.#periodMs;
  }
}
