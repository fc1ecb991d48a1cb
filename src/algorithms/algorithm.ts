import type { Quota } from "../quota.js";

/** One to three whole numbers: all that an algorithm remembers of a key, as it stood at one moment. */
export type State = readonly number[];

/**
 * The arithmetic of one quota: whole numbers below 2^53, no I/O, no clock, no promises. Every method is pure; moments
 * are whole milliseconds since the epoch. `Limiter` makes one decision of it, together with other quotas.
 */
export interface Algorithm {
  /** The most that a fresh key can spend at once, in units of cost. */
  readonly capacity: number;
  /** Milliseconds in which an exhausted key recovers. */
  readonly refillMs: number;
  /** How far ahead of now a place can be booked, in milliseconds, before numbers would leave 2^53. */
  readonly horizonMs: number;
  /** The state of a key that was never used. */
  readonly fresh: State;
  /** The state at `to` of a key that had `state` at `from`. Backwards (`to < from`) it is the state that becomes `state` by `from`. */
  advance(state: State, from: number, to: number): State;
  /** Milliseconds from `now` until `cost` fits: 0 at once, `Infinity` never. `queued` calls may wait for their turn. */
  wait(state: State, now: number, cost: number, queued: boolean): number;
  /** The state after `cost` is charged whether it fits or not; a negative cost gives back, never above a fresh key. */
  charge(state: State, now: number, cost: number): State;
  /**
   * The state without a booking of `cost` that led from `before` to `after`, all as of `now`: `before` if nothing came after
   * it, otherwise what those who came after it need. Without this method `cost` is charged back.
   */
  unbook?(state: State, before: State, after: State, now: number, cost: number): State;
  /** The state of a key that was just used up, or `state` where it owes more than that. */
  exhaust(state: State, now: number): State;
  /** Units of cost that can be spent now. */
  remaining(state: State, now: number): number;
  /** Milliseconds until the key is as good as fresh. */
  resetAfterMs(state: State, now: number): number;
}

/** How an algorithm is handed to `using`: its name is part of where state is kept. */
export interface AlgorithmType {
  new (quota: Quota): Algorithm;
  /** In kebab case, e.g. `"token-bucket"`. */
  readonly algorithmName: string;
  /**
   * The twin for Redis: Lua that defines `local algorithm`, a table with `size`, how many numbers a state has, with
   * `new(limit, periodMs, burst)`, which answers with a table of `capacity`, `refillMs` and `horizonMs`, and with the methods
   * of `Algorithm` as functions that take that table first. Without it `RedisStore` refuses the algorithm.
   */
  readonly lua?: string;
}

/** Moments stay below this, so that sums of two of them are still exact. */
export const LAST_MOMENT_MS = 2 ** 52;

/** What a quota with its own burst means to a window: nothing. @throws RangeError */
export function refuseBurst(algorithm: string, { limit, burst }: Quota): void {
  if (burst === limit) return;
  throw new RangeError(`Expected \`burst\` to equal the limit of ${limit} for "${algorithm}", got ${burst}`);
}
