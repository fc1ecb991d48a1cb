import type { Quota } from "../quota.js";
import { type Algorithm, LAST_MOMENT_MS, refuseBurst, type State } from "./algorithm.js";

/**
 * At most `limit` units in each window of `periodMs`, aligned to the epoch. The state is one number, the units used since
 * the window began; those above the limit are booked in the windows that follow, `limit` to each.
 */
export class FixedWindow implements Algorithm {
  static readonly algorithmName: string = "fixed-window";
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs: number;
  readonly fresh: State = [0];
  readonly #limit: number;
  readonly #periodMs: number;
  /** The most that may be used and booked, so that every number derived from it is exact. */
  readonly #most: number;

  constructor(quota: Quota) {
    refuseBurst(FixedWindow.algorithmName, quota);
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

  advance([used = 0]: State, from: number, to: number): State {
    const windows = this.#window(to) - this.#window(from);
    return [windows >= Math.ceil(used / this.#limit) ? 0 : used - windows * this.#limit];
  }

  wait([used = 0]: State, now: number, cost: number, _queued: boolean): number {
    if (cost > this.#limit) return Number.POSITIVE_INFINITY;
    const fits = (used % this.#limit) + cost <= this.#limit;
    const windows = Math.floor(used / this.#limit) + (fits ? 0 : 1);
    return windows === 0 ? 0 : windows * this.#periodMs - (now % this.#periodMs);
  }

  charge([used = 0]: State, _now: number, cost: number): State {
    return [Math.min(Math.max(used + cost, 0), this.#most)];
  }

  unbook(state: State, before: State, after: State, now: number, cost: number): State {
    const left = state[0]! - (after[0]! - before[0]!);
    // Less than nothing is left of a key that was reset since then.
    return left >= 0 ? [left] : this.charge(state, now, -cost);
  }

  exhaust([used = 0]: State, _now: number): State {
    return [Math.max(used, this.#limit)];
  }

  remaining([used = 0]: State, _now: number): number {
    return Math.max(this.#limit - used, 0);
  }

  resetAfterMs([used = 0]: State, now: number): number {
    return used === 0 ? 0 : Math.ceil(used / this.#limit) * this.#periodMs - (now % this.#periodMs);
  }

  #window(moment: number): number {
    return Math.floor(moment / this.#periodMs);
  }
}
