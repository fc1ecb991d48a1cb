import type { RateLimitResult } from "./result.js";

const LIMITED = Symbol.for("throttled/LimitedError");
const STORE = Symbol.for("throttled/StoreError");

/** What every error of this package extends, apart from those for bad arguments. */
export class ThrottledError extends Error {
  override readonly name: string = "ThrottledError";
}

/** A call was refused where a result can't say so: by `acquire`, `run`, `wrap` and the decorators. */
export class LimitedError extends ThrottledError {
  override readonly name = "LimitedError" as const;
  /** The key that was refused. */
  readonly key: string;
  /** The refusal in numbers; `result.retryAfterMs` says when to come back. */
  readonly result: RateLimitResult;

  constructor(key: string, result: RateLimitResult, what: "Rate" | "Concurrency" = "Rate") {
    const { remaining, resetAfterMs, retryAfterMs } = result;
    super(
      `${what} limit exceeded: remaining=${remaining}, resetAfterMs=${resetAfterMs}, retryAfterMs=${retryAfterMs}`,
    );
    this.key = key;
    this.result = result;
    Object.defineProperty(this, LIMITED, { value: true });
  }
}

/**
 * What kind of failure a `StoreError` is: no answer in time (`"timeout"`), no connection (`"unreachable"`), a server that can't
 * serve now (`"unavailable"`) or that turned this very call away (`"refused"`), a circuit breaker that is open
 * (`"breaker-open"`), too many calls under way (`"overload"`), or a store that was closed (`"closed"`).
 */
export type StoreFailure =
  | "timeout"
  | "unreachable"
  | "unavailable"
  | "refused"
  | "breaker-open"
  | "overload"
  | "closed";

/** The store could not answer: unreachable, too late, or refused by its server. */
export class StoreError extends ThrottledError {
  override readonly name = "StoreError" as const;
  /** The kind of store, e.g. `"redis"`. */
  readonly store: string;
  /** What was asked of it, e.g. `"decide"`. */
  readonly operation: string;
  /** What kind of failure it is. */
  readonly reason: StoreFailure;

  /** @param reason what kind of failure it is, `"unavailable"` by default. */
  constructor(store: string, operation: string, problem: string, reason: StoreFailure = "unavailable") {
    super(`The ${store} store failed to ${operation}: ${problem}`);
    this.store = store;
    this.operation = operation;
    this.reason = reason;
    Object.defineProperty(this, STORE, { value: true });
  }
}

/** Whether `error` is a `LimitedError`, also of another copy or version of this package. */
export function isLimitedError(error: unknown): error is LimitedError {
  return isBranded(error, LIMITED);
}

/** Whether `error` is a `StoreError`, also of another copy or version of this package. */
export function isStoreError(error: unknown): error is StoreError {
  return isBranded(error, STORE);
}

function isBranded(error: unknown, brand: symbol): boolean {
  return typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[brand] === true;
}
