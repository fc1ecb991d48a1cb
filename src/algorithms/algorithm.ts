import type { Quota } from "../quota.js";

/** Whole numbers, among them the states of keys; all 0 is the state of a key that was never used. */
export type Numbers = Float64Array;

/**
 * The arithmetic of one quota: whole numbers below 2^53, no I/O, no clock, no promises. A state is `size` numbers that begin
 * at index `i` of `numbers`, as they stood at the moment `from`; those who change it leave it as of `now`. Moments are whole
 * milliseconds since the epoch. `Limiter` makes one decision of it, together with other quotas.
 */
export interface Algorithm {
  /** How many numbers a state has. */
  readonly size: number;
  /** The most that a fresh key can spend at once, in units of cost. */
  readonly capacity: number;
  /** Milliseconds in which an exhausted key recovers. */
  readonly refillMs: number;
  /** How far ahead of now a place can be booked, in milliseconds, before numbers would leave 2^53. */
  readonly horizonMs: number;
  /** Lets time pass. Backwards (`now < from`) the state becomes the one that is this one by `from`. */
  advance(numbers: Numbers, i: number, from: number, now: number): void;
  /** Milliseconds from `now` until `cost` fits: 0 at once, `Infinity` never. `queued` calls may wait for their turn. */
  wait(numbers: Numbers, i: number, from: number, now: number, cost: number, queued: boolean): number;
  /**
   * Charges `cost` if it fits now, and answers as `wait` does to a call that is not queued: for most calls, what both do in one
   * step. Without this method they are asked one after the other.
   */
  spend?(numbers: Numbers, i: number, from: number, now: number, cost: number): number;
  /** Charges `cost` whether it fits or not; a negative cost gives back, never above a fresh key. */
  charge(numbers: Numbers, i: number, from: number, now: number, cost: number): void;
  /**
   * Takes back a booking of `cost` that led from `before` to `after`, all three as of `now` and at the same index: back to
   * `before` if nothing came after it, otherwise to what those who came after it need. Without this method `cost` is
   * charged back.
   */
  unbook?(numbers: Numbers, i: number, before: Numbers, after: Numbers, now: number, cost: number): void;
  /** Makes it the state of a key that was just used up, unless it owes more than that; it already is as of `now`. */
  exhaust(numbers: Numbers, i: number, now: number): void;
  /** Units of cost that can be spent now. */
  remaining(numbers: Numbers, i: number, from: number, now: number): number;
  /** Milliseconds until the key is as good as fresh. */
  resetAfterMs(numbers: Numbers, i: number, from: number, now: number): number;
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
