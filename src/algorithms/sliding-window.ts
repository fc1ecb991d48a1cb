import type { Quota } from "../quota.js";
import { type Algorithm, LAST_MOMENT_MS, refuseBurst, type State } from "./algorithm.js";

/**
 * At most `limit` units in this window and what still counts of the one before, whose weight falls from all to nothing
 * while this window passes. The state is three numbers, as of the last window in which something was spent or booked: what
 * was used before it, what is used in it, and how many windows it is ahead of now.
 * The sliding window counter of Cloudflare, "How we built rate limiting capable of scaling to millions of domains" (2017).
 */
export class SlidingWindow implements Algorithm {
  static readonly algorithmName: string = "sliding-window";
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs: number;
  readonly fresh: State = [0, 0, 0];
  readonly #limit: number;
  readonly #periodMs: number;
  /** The furthest window ahead of now, so that every moment derived from it is exact. */
  readonly #furthest: number;

  constructor(quota: Quota) {
    refuseBurst(SlidingWindow.algorithmName, quota);
    const { limit, periodMs } = quota;
    this.capacity = limit;
    this.refillMs = periodMs;
    this.#furthest = Math.max(0, Math.floor(LAST_MOMENT_MS / periodMs) - 2);
    this.horizonMs = Math.max(0, this.#furthest - 1) * periodMs;
    this.#limit = limit;
    this.#periodMs = periodMs;
  }

  advance([previous = 0, current = 0, ahead = 0]: State, from: number, to: number): State {
    const left = ahead - (Math.floor(to / this.#periodMs) - Math.floor(from / this.#periodMs));
    if (left >= 0) return [previous, current, left];
    return [left === -1 ? current : 0, 0, 0];
  }

  wait([previous = 0, current = 0, ahead = 0]: State, now: number, cost: number, _queued: boolean): number {
    if (cost > this.#limit) return Number.POSITIVE_INFINITY;
    const elapsed = now % this.#periodMs;
    const free = this.#limit - cost;
    if (current > free) return (ahead + 1) * this.#periodMs + this.#decayed(current, free) - elapsed;
    return Math.max(ahead * this.#periodMs + this.#decayed(previous, free - current) - elapsed, 0);
  }

  charge([previous = 0, current = 0, ahead = 0]: State, _now: number, cost: number): State {
    const used = current + cost;
    if (used < 0) return this.#giveBack(previous, -used, ahead);
    if (used <= this.#limit) return [previous, used, ahead];
    const last = ahead + Math.ceil(used / this.#limit) - 1;
    if (last > this.#furthest) return [this.#limit, this.#limit, this.#furthest];
    return [this.#limit, used - (last - ahead) * this.#limit, last];
  }

  unbook(state: State, before: State, after: State, now: number, cost: number): State {
    if (state.every((number, i) => number === after[i])) return before;
    // What a booking left unused of the windows that it passed over is given back with it.
    const units = this.#line(after) - this.#line(before);
    return this.charge(state, now, this.#line(state) >= units ? -units : -cost);
  }

  exhaust([previous = 0, current = 0, ahead = 0]: State, now: number): State {
    if (ahead > 0) return [previous, current, ahead];
    return [this.#limit, this.#limit - this.#weighted(this.#limit, now), 0];
  }

  remaining([previous = 0, current = 0, ahead = 0]: State, now: number): number {
    return ahead > 0 ? 0 : Math.max(this.#limit - this.#weighted(previous, now) - current, 0);
  }

  resetAfterMs([previous = 0, current = 0, ahead = 0]: State, now: number): number {
    const windows = current > 0 ? ahead + 2 : previous > 0 ? ahead + 1 : 0;
    return windows === 0 ? 0 : windows * this.#periodMs - 1 - (now % this.#periodMs);
  }

  /**
   * What still counts now of the window before: rounded up, as rounded down it would let up to one unit too many pass, and
   * with this millisecond as good as over, as otherwise the last unit of a window would never pass.
   */
  #weighted(previous: number, now: number): number {
    return Math.ceil((previous * (this.#periodMs - 1 - (now % this.#periodMs))) / this.#periodMs);
  }

  /** Milliseconds into a window from which at most `most` still counts of `previous`. */
  #decayed(previous: number, most: number): number {
    return previous <= most ? 0 : this.#periodMs - 1 - Math.floor((most * this.#periodMs) / previous);
  }

  /** Where the last unit stands in a line of full windows that begins with this one. */
  #line([, current = 0, ahead = 0]: State): number {
    return ahead * this.#limit + current;
  }

  /** Gives back `units` to the windows before the last one; those between it and now were full, or nothing would be booked after them. */
  #giveBack(previous: number, units: number, ahead: number): State {
    if (ahead === 0) return [Math.max(previous - units, 0), 0, 0];
    const windows = Math.max(Math.ceil((units - previous) / this.#limit), 0);
    const current = previous + windows * this.#limit - units;
    const left = ahead - 1 - windows;
    return left < 0 || (left === 0 && current === 0) ? this.fresh : [this.#limit, current, left];
  }
}
