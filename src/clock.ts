import type { AbortSignalLike } from "./abort.js";
import { complaint } from "./argument.js";

/** Where a store reads the time. */
export interface Clock {
  /** Whole milliseconds since the epoch. */
  now(): number;
  /** Resolves `ms` milliseconds later by this clock, or rejects with the reason of `signal`; by default real time. */
  sleep?(ms: number, signal?: AbortSignalLike): Promise<void>;
}

/** Looked up once: that costs as much as to read the time. */
const timer = performance;
const origin = timer.timeOrigin;

/**
 * The default clock: the epoch time at which the process started plus the time since, so that a step of the wall clock
 * changes nothing. It stands still while the machine is suspended.
 */
export const monotonicClock: Clock = {
  now: () => Math.floor(origin + timer.now()),
};

/** Returns `clock` if it is one. @throws TypeError */
export function checkClock(clock: unknown): Clock {
  if (typeof (clock as Clock | null)?.now === "function") return clock as Clock;
  throw new TypeError(complaint("clock", "a clock with `now()`", clock));
}
