import { bucketHorizonMs, mostOwed } from "./bounds.js";
import { type Debt, untakeDebt } from "./debt.js";
import { ceil, type ExactQuota, max, min } from "./rule.js";

/** Tokens as they are at a moment, in `1 / periodMs` of a token; below 0 they are owed. */
interface Tokens {
  readonly tokens: bigint;
  readonly at: bigint;
}

/**
 * A bucket of `burst` tokens, refilled continuously with `limit` tokens each period; a call passes if and only if it finds its
 * cost in tokens.
 */
export class TokenBucketRule implements Debt<Tokens> {
  readonly fresh: Tokens;
  readonly capacity: bigint;
  readonly refillMs: bigint;
  readonly horizonMs: bigint;
  /** How many tokens come each millisecond, one token, a full bucket, and the most that is owed, all in `1 / periodMs`. */
  readonly #refill: bigint;
  readonly #token: bigint;
  readonly #full: bigint;
  readonly #mostOwed: bigint;

  constructor(quota: ExactQuota) {
    this.#refill = quota.limit;
    this.#token = quota.periodMs;
    this.#full = quota.burst * this.#token;
    this.#mostOwed = mostOwed(quota);
    this.fresh = { tokens: this.#full, at: 0n };
    this.capacity = quota.burst;
    this.refillMs = ceil(this.#full, this.#refill);
    this.horizonMs = bucketHorizonMs(quota);
  }

  /** Before the moment of a place that was booked, the bucket lacks what is yet to come until then. */
  #tokens({ tokens, at }: Tokens, moment: bigint): bigint {
    return min(this.#full, tokens + (moment - at) * this.#refill);
  }

  fits(state: Tokens, moment: bigint, cost: bigint): boolean {
    return this.#tokens(state, moment) >= cost * this.#token;
  }

  left(state: Tokens, moment: bigint): bigint {
    return max(this.#tokens(state, moment), 0n) / this.#token;
  }

  isFresh(state: Tokens, moment: bigint): boolean {
    return this.#tokens(state, moment) === this.#full;
  }

  take(state: Tokens, moment: bigint, cost: bigint): Tokens {
    const tokens = min(this.#full, this.#tokens(state, moment) - cost * this.#token);
    return { tokens: max(tokens, this.#full - this.#mostOwed), at: moment };
  }

  untake(state: Tokens, moment: bigint, cost: bigint, before: Tokens, after: Tokens): Tokens {
    return untakeDebt(this, state, moment, cost, before, after);
  }

  usedUp(state: Tokens, at: bigint, now: bigint): Tokens {
    return { tokens: min(this.#tokens(state, at), 0n), at: now };
  }

  owed(state: Tokens, moment: bigint): bigint {
    return this.#full - this.#tokens(state, moment);
  }

  owing(owed: bigint, moment: bigint): Tokens {
    return { tokens: this.#full - owed, at: moment };
  }

  guessFit({ tokens, at }: Tokens, _from: bigint, cost: bigint): bigint {
    return at + (cost * this.#token - tokens) / this.#refill;
  }

  guessFresh({ tokens, at }: Tokens): bigint {
    return at + (this.#full - tokens) / this.#refill;
  }
}
