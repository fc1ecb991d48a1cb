import { wholeNumber } from "./argument.js";
import type { RateLimitResult, RateLimitState } from "./result.js";

/** A call that was let through; its cost can still be corrected. Disposing of it gives nothing back. */
export class Permit implements RateLimitState, Disposable, AsyncDisposable {
  /** The key that was charged. */
  readonly key: string;
  /** The cost that was charged, in units. */
  readonly cost: number;
  readonly limit: number;
  readonly remaining: number;
  readonly resetAfterMs: number;
  readonly retryAfterMs: number;
  readonly #charge: (units: number) => Promise<void>;
  #settled = false;

  constructor(key: string, cost: number, result: RateLimitResult, charge: (units: number) => Promise<void>) {
    this.key = key;
    this.cost = cost;
    this.limit = result.limit;
    this.remaining = result.remaining;
    this.resetAfterMs = result.resetAfterMs;
    this.retryAfterMs = result.retryAfterMs;
    this.#charge = charge;
  }

  /**
   * Charges what the call really cost: gives back the rest, or takes more, into debt if need be. Works once, and not after
   * `refund`; a further call does nothing. Rejects with a TypeError, RangeError or StoreError.
   */
  async settle(actualCost: number): Promise<void> {
    const units = wholeNumber("actualCost", actualCost, 0) - this.cost;
    if (this.#settled) return;
    this.#settled = true;
    if (units !== 0) await this.#charge(units);
  }

  /** Gives all of it back. Works once, and not after `settle`; a further call does nothing. Rejects with a StoreError. */
  refund(): Promise<void> {
    return this.settle(0);
  }

  [Symbol.dispose](): void {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
