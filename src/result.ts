import type { Answer } from "./stores/store.js";

/** What a key has left, in units of cost and whole milliseconds. */
export interface RateLimitState {
  /**
   * The most that a fresh key can spend at once: `limit` of the quota for the windows, `burst` for the buckets.
   * Example: 20 for a token bucket of `"10/s burst 20"`.
   */
  readonly limit: number;
  /** The most that this key can spend now, 0 to `limit`: spending exactly that works, one more does not. */
  readonly remaining: number;
  /** Milliseconds until the key is as good as fresh; 0 for a fresh key. Example: 100 after one call on a token bucket of `"10/s"`. */
  readonly resetAfterMs: number;
  /**
   * Milliseconds until this same cost passes if nobody else spends: 0 when it was allowed, `Infinity` when it never can.
   * A retry at that time passes, one a millisecond earlier does not. For `peek` it is the wait for a cost of 1.
   */
  readonly retryAfterMs: number;
}

/** The answer to one call. */
export interface RateLimitResult extends RateLimitState {
  /** Whether the call was refused; a refused call consumes nothing. */
  readonly limited: boolean;
  /** Which of several quotas the numbers belong to: the one with the least left when allowed, the one that refused when limited. */
  readonly quotaIndex: number;
  /** Who decided: the store, the store to fall back on, or the policy for a store that is unavailable. */
  readonly source: "store" | "fallback" | "policy";
}

/** What a caller sees of an answer; to ask for nothing is always allowed. */
export function resultOf(answer: Answer, cost: number): RateLimitResult {
  if (answer.booking === undefined && answer.by === undefined && cost > 0) return answer;
  const { booking, by, ...result } = answer;
  return cost > 0 ? result : { ...result, retryAfterMs: 0 };
}
