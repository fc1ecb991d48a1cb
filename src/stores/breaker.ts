import { knownOptions, wholeNumber } from "../argument.js";
import { type Duration, toMs } from "../duration.js";

/** When a store that fails is left alone for a while. */
export interface BreakerOptions {
  /** Calls that must fail in a row, 5 by default. */
  readonly failures?: number;
  /** How long until one call tries again, 250 ms by default. */
  readonly retryAfter?: Duration;
}

/** Why a call did not even try. */
export const OPEN = Symbol("open");

/**
 * A circuit breaker: after some failures in a row calls fail at once, and one at a time is let through to try again.
 * Nygard, "Release It!" (2007).
 */
export class Breaker {
  readonly #most: number;
  readonly #retryAfterMs: number;
  #failures = 0;
  #retryAt = 0;
  #trying = false;
  /** How often it has closed again: failures of calls from before then say nothing of the store as it is now. */
  #recoveries = 0;

  /** @throws TypeError, RangeError */
  constructor(options: BreakerOptions = {}) {
    knownOptions("breaker", options, ["failures", "retryAfter"]);
    this.#most = wholeNumber("breaker.failures", options.failures ?? 5, 1);
    this.#retryAfterMs = toMs("breaker.retryAfter", options.retryAfter ?? 250);
  }

  /** Whether calls are failing without being tried. */
  get isOpen(): boolean {
    return this.#failures >= this.#most;
  }

  /** Whether calls are tried, not tried, or whether the next one decides. */
  get state(): "closed" | "open" | "half-open" {
    if (!this.isOpen) return "closed";
    return this.#trying || performance.now() >= this.#retryAt ? "half-open" : "open";
  }

  /** How often it has opened. */
  get openings(): number {
    return this.#recoveries + (this.isOpen ? 1 : 0);
  }

  /** Whether a call that was let through to try again is under way. */
  get isTrying(): boolean {
    return this.#trying;
  }

  /** Runs what so many calls wait for, or rejects with `OPEN`; `isFailure` tells a store that fails from one that refuses. */
  async run<T>(calls: number, run: () => Promise<T>, isFailure: (error: unknown) => boolean): Promise<T> {
    const trial = this.isOpen;
    const recoveries = this.#recoveries;
    if (trial) {
      if (this.#trying || performance.now() < this.#retryAt) throw OPEN;
      this.#trying = true;
    }
    try {
      const result = await run();
      this.#succeed();
      return result;
    } catch (error) {
      if (!isFailure(error)) this.#succeed();
      else if (recoveries === this.#recoveries) this.#fail(calls);
      throw error;
    } finally {
      if (trial) this.#trying = false;
    }
  }

  #succeed(): void {
    if (this.isOpen) this.#recoveries++;
    this.#failures = 0;
  }

  #fail(calls: number): void {
    this.#failures += calls;
    this.#retryAt = performance.now() + this.#retryAfterMs;
  }
}
