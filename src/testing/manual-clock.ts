import type { AbortSignalLike } from "../abort.js";
import { wholeNumber } from "../argument.js";
import type { Clock } from "../clock.js";

interface Sleeper {
  readonly moment: number;
  readonly wake: () => void;
}

/** A clock that moves only when it is told to; those who sleep by it wake in order. */
export class ManualClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  /** @param now the first moment, in whole milliseconds since the epoch. @throws TypeError, RangeError */
  constructor(now = 1_700_000_000_000) {
    this.#now = wholeNumber("now", now, 0);
  }

  /** How many sleep by this clock now. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  now(): number {
    return this.#now;
  }

  /** Moves on by `ms` milliseconds and wakes those whose time has come. @throws TypeError, RangeError */
  advance(ms: number): void {
    this.set(this.#now + wholeNumber("ms", ms, 0));
  }

  /** Sets the time, also back, and wakes those whose time has come. @throws TypeError, RangeError */
  set(now: number): void {
    this.#now = wholeNumber("now", now, 0);
    const due = [...this.#sleepers].filter(({ moment }) => moment <= now);
    for (const sleeper of due.sort((one, other) => one.moment - other.moment)) {
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  sleep(ms: number, signal?: AbortSignalLike): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal!.reason);
      };
      const wake = (): void => {
        signal?.removeEventListener("abort", abort);
        resolve();
      };
      const sleeper: Sleeper = { moment: this.#now + ms, wake };
      signal?.addEventListener("abort", abort, { once: true });
      if (ms > 0) this.#sleepers.add(sleeper);
      else wake();
    });
  }
}
