import type { Quota } from "../quota.js";
import { type Algorithm, LAST_MOMENT_MS, type State } from "./algorithm.js";

/**
 * What token bucket, leaky bucket and GCRA share. The state is one number, the level: how much must drain until the key
 * is fresh. A unit of cost weighs `periodMs`, and `limit` drains each millisecond, so that no fraction ever arises.
 * A level above the capacity is owed by those who booked a place.
 */
export abstract class Bucket implements Algorithm {
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs: number;
  readonly fresh: State = [0];
  /** What drains each millisecond. */
  protected readonly drain: number;
  /** The weight of one unit of cost. */
  readonly #weight: number;
  /** The weight of the whole capacity. */
  readonly #full: number;
  /** The highest level, so that every number derived from it is exact. */
  readonly #brim: number;

  constructor({ limit, periodMs, burst }: Quota) {
    this.capacity = burst;
    this.drain = limit;
    this.#weight = periodMs;
    this.#full = burst * periodMs;
    this.#brim = Math.max(this.#full, Math.min(Number.MAX_SAFE_INTEGER - limit, LAST_MOMENT_MS * limit));
    this.refillMs = Math.ceil(this.#full / limit);
    this.horizonMs = Math.max(0, Math.floor((this.#brim - this.#full) / limit));
  }

  advance([level = 0]: State, from: number, to: number): State {
    const elapsed = to - from;
    return [elapsed >= Math.ceil(level / this.drain) ? 0 : level - elapsed * this.drain];
  }

  wait([level = 0]: State, _now: number, cost: number, queued: boolean): number {
    if (cost > this.capacity) return Number.POSITIVE_INFINITY;
    const over = level - this.room(this.#full - cost * this.#weight, queued);
    return over > 0 ? Math.ceil(over / this.drain) : 0;
  }

  /** The highest level at which a call passes, given the highest from which its cost does not overflow. */
  protected room(free: number, _queued: boolean): number {
    return free;
  }

  charge([level = 0]: State, _now: number, cost: number): State {
    return [Math.min(Math.max(level + cost * this.#weight, 0), this.#brim)];
  }

  unbook(state: State, before: State, after: State, now: number, cost: number): State {
    const left = state[0]! - (after[0]! - before[0]!);
    // Less than nothing is left of a key that was reset since then.
    return left >= 0 ? [left] : this.charge(state, now, -cost);
  }

  exhaust([level = 0]: State, _now: number): State {
    return [Math.max(level, this.#full)];
  }

  remaining([level = 0]: State, _now: number): number {
    return level < this.#full ? Math.floor((this.#full - level) / this.#weight) : 0;
  }

  resetAfterMs([level = 0]: State, _now: number): number {
    return Math.ceil(level / this.drain);
  }
}
