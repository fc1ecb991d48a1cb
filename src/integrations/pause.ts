import type { Algorithm, Numbers } from "../algorithms/algorithm.js";
import { Limiter } from "../algorithms/limiter.js";
import { perDuration, type Quota } from "../quota.js";
import lua from "./pause.lua";

/**
 * A key that rests for a while: to charge it some milliseconds makes it rest for at least as many from now on, a period at
 * most. The state is one number, how long it still rests.
 */
export class Pause implements Algorithm {
  static readonly algorithmName = "pause";
  static readonly lua = lua;
  readonly size = 1;
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs = 0;

  constructor({ periodMs }: Quota) {
    this.capacity = periodMs;
    this.refillMs = periodMs;
  }

  advance(numbers: Numbers, i: number, from: number, now: number): void {
    numbers[i] = this.resetAfterMs(numbers, i, from, now);
  }

  wait(numbers: Numbers, i: number, from: number, now: number, cost: number): number {
    return cost > this.capacity ? Number.POSITIVE_INFINITY : this.resetAfterMs(numbers, i, from, now);
  }

  charge(numbers: Numbers, i: number, from: number, now: number, cost: number): void {
    const left = this.resetAfterMs(numbers, i, from, now);
    numbers[i] = cost < 0 ? Math.max(left + cost, 0) : Math.min(Math.max(left, cost), this.capacity);
  }

  /** A clock that was set back lengthens no pause: what was left of it begins anew. */
  exhaust(): void {}

  remaining(numbers: Numbers, i: number, from: number, now: number): number {
    return this.resetAfterMs(numbers, i, from, now) > 0 ? 0 : this.capacity;
  }

  resetAfterMs(numbers: Numbers, i: number, from: number, now: number): number {
    return Math.max(numbers[i]! - (now - from), 0);
  }
}

/** The longest pause: what somebody else says must not lock a key out for more than a day. */
export const MOST_PAUSE_MS = 86_400_000;

/** Who keeps pauses. */
export const PAUSES = new Limiter(Pause, perDuration(MOST_PAUSE_MS, 1));
