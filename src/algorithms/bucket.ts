import type { Quota } from "../quota.js";
import { type Algorithm, LAST_MOMENT_MS, type Numbers } from "./algorithm.js";

/**
 * What token bucket, leaky bucket and GCRA share. The state is one number, the level: how much must drain until the key
 * is fresh. A unit of cost weighs `periodMs`, and `limit` drains each millisecond, so that no fraction ever arises.
 * A level above the capacity is owed by those who booked a place.
 */
export class Bucket implements Algorithm {
  readonly size = 1;
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs: number;
  /** What drains each millisecond. */
  readonly #drain: number;
  /** The weight of one unit of cost. */
  readonly #weight: number;
  /** The weight of the whole capacity. */
  readonly #full: number;
  /** The highest level, so that every number derived from it is exact. */
  readonly #brim: number;
  readonly #isPaced: boolean;

  /** @param isPaced whether a call that waits goes in the millisecond in which all before it has drained. */
  constructor({ limit, periodMs, burst }: Quota, isPaced: boolean) {
    this.capacity = burst;
    this.#drain = limit;
    this.#weight = periodMs;
    this.#full = burst * periodMs;
    this.#isPaced = isPaced;
    this.#brim = Math.max(this.#full, Math.min(Number.MAX_SAFE_INTEGER - limit, LAST_MOMENT_MS * limit));
    this.refillMs = Math.ceil(this.#full / limit);
    this.horizonMs = Math.max(0, Math.floor((this.#brim - this.#full) / limit));
  }

  advance(numbers: Numbers, i: number, from: number, now: number): void {
    numbers[i] = this.#level(numbers, i, from, now);
  }

  wait(numbers: Numbers, i: number, from: number, now: number, cost: number, queued: boolean): number {
    if (cost > this.capacity) return Number.POSITIVE_INFINITY;
    const free = this.#full - cost * this.#weight;
    // Less than a millisecond's drain counts as drained: to wait for it would slow the pace to whole milliseconds.
    const room = this.#isPaced && queued ? Math.min(free, this.#drain - 1) : free;
    const over = this.#level(numbers, i, from, now) - room;
    return over > 0 ? Math.ceil(over / this.#drain) : 0;
  }

  spend(numbers: Numbers, i: number, from: number, now: number, cost: number): number {
    const level = this.#level(numbers, i, from, now);
    const weight = cost * this.#weight;
    // Not what the level would be: of a key in deep debt that is above 2^53.
    const over = level - (this.#full - weight);
    if (over > 0) return cost > this.capacity ? Number.POSITIVE_INFINITY : Math.ceil(over / this.#drain);
    numbers[i] = level + weight;
    return 0;
  }

  charge(numbers: Numbers, i: number, from: number, now: number, cost: number): void {
    const level = this.#level(numbers, i, from, now) + cost * this.#weight;
    numbers[i] = Math.max(Math.min(level, this.#brim), 0);
  }

  unbook(numbers: Numbers, i: number, before: Numbers, after: Numbers, now: number, cost: number): void {
    const left = numbers[i]! - (after[i]! - before[i]!);
    // Less than nothing is left of a key that was reset since then.
    if (left >= 0) numbers[i] = left;
    else this.charge(numbers, i, now, now, -cost);
  }

  exhaust(numbers: Numbers, i: number, _now: number): void {
    numbers[i] = Math.max(numbers[i]!, this.#full);
  }

  remaining(numbers: Numbers, i: number, from: number, now: number): number {
    const free = this.#full - this.#level(numbers, i, from, now);
    return free > 0 ? Math.floor(free / this.#weight) : 0;
  }

  resetAfterMs(numbers: Numbers, i: number, from: number, now: number): number {
    return Math.ceil(this.#level(numbers, i, from, now) / this.#drain);
  }

  #level(numbers: Numbers, i: number, from: number, now: number): number {
    const level = numbers[i]! - (now - from) * this.#drain;
    return level > 0 ? level : 0;
  }
}
