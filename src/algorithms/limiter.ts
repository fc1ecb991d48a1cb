import { complaint } from "../argument.js";
import { type Quota, type QuotaInput, toQuotas } from "../quota.js";
import type { RateLimitResult } from "../result.js";
import type { Algorithm, AlgorithmType, State } from "./algorithm.js";
import { FixedWindow } from "./fixed-window.js";
import { Gcra } from "./gcra.js";
import { LeakyBucket } from "./leaky-bucket.js";
import { SlidingWindow } from "./sliding-window.js";
import { TokenBucket } from "./token-bucket.js";

const ALGORITHMS = {
  "fixed-window": FixedWindow,
  "sliding-window": SlidingWindow,
  "token-bucket": TokenBucket,
  "leaky-bucket": LeakyBucket,
  gcra: Gcra,
} as const satisfies Record<string, AlgorithmType>;

/** The algorithms that `using` knows by name. */
export type AlgorithmName = keyof typeof ALGORITHMS;

/** What a store keeps for a key: the moment it was written, then the state of each quota at that moment. */
export type KeyState = readonly number[];

/** A place that was booked: how far ahead it is, and how to give it back without a trace. */
export interface Booking {
  /** Whole milliseconds until the moment that was booked, 1 or more. */
  readonly waitMs: number;
  /** The record as the booking found it, and as it left it; opaque to everybody but the store. */
  readonly before: unknown;
  readonly after: unknown;
}

/** The answer of a store: the result, and the place that was booked if the call has to wait for it. */
export interface Decision extends RateLimitResult {
  readonly booking?: Booking;
}

/** A decision, and what has to be kept for the next one. */
export interface Outcome {
  readonly decision: Decision;
  /** What to keep from now on; `undefined` leaves everything as it is. */
  readonly write?: {
    readonly record: KeyState;
    /** Milliseconds from now after which the record may be dropped, as it says no more than none; 0 drops it at once. */
    readonly ttlMs: number;
  };
}

/** One algorithm over one or several quotas, decided together: all pass, or none is charged. */
export class Limiter {
  /** What state depends on apart from the key, e.g. `"gcra:10/1000/20"`; limiters of equal id share their keys. */
  readonly id: string;
  /** The algorithm of every quota. */
  readonly algorithm: AlgorithmType;
  /** The quotas in the order of `quotaIndex`. */
  readonly quotas: readonly Quota[];
  readonly #algorithms: readonly Algorithm[];
  readonly #refillMs: number;
  readonly #horizonMs: number;

  /** @throws TypeError, RangeError for an unknown algorithm or a quota that it can't keep. */
  constructor(using: AlgorithmName | AlgorithmType, quota: QuotaInput | readonly QuotaInput[]) {
    this.algorithm = algorithmType(using);
    this.quotas = toQuotas(quota);
    this.#algorithms = this.quotas.map((each) => new this.algorithm(each));
    this.#refillMs = Math.max(...this.#algorithms.map((each) => each.refillMs));
    this.#horizonMs = Math.min(...this.#algorithms.map((each) => each.horizonMs));
    const text = this.quotas.map(({ limit, periodMs, burst }) => `${limit}/${periodMs}/${burst}`).join(";");
    this.id = `${this.algorithm.algorithmName}:${text}`;
  }

  /** The most that a fresh key can spend at once under one of the quotas. */
  capacity(quotaIndex: number): number {
    return this.#algorithms[quotaIndex]!.capacity;
  }

  /**
   * The one decision. A cost of 0 asks without spending. A call may book a place up to `maxWaitMs` ahead; with `Infinity`
   * the cost is charged at once whether it fits or not. A negative cost gives that many units back, and with `booking`
   * what that booking took: without a trace if nothing came after it.
   */
  decide(
    stored: KeyState | undefined,
    now: number,
    cost: number,
    maxWaitMs: number,
    booking?: Booking,
  ): Outcome {
    const written = stored?.[0] ?? now;
    // A clock that was set back by more than a refill would lock the key out until it is there again.
    const repair = written - now > this.#refillMs;
    const at = repair ? now : Math.max(written, now);
    const states = this.#states(stored, repair, at);

    if (cost < 0 || maxWaitMs === Number.POSITIVE_INFINITY) {
      // A key that was reset since then, or a clock that was set back, knows nothing of the booking.
      const known = booking !== undefined && !repair && (booking.after as KeyState)[0]! <= written;
      const charged = known ? this.#unbook(states, booking, at, -cost) : this.#charge(states, at, cost);
      return this.#allow(charged, at, at, now);
    }
    const waits = this.#algorithms.map((algorithm, i) =>
      algorithm.wait(states[i]!, at, Math.max(cost, 1), maxWaitMs > 0),
    );
    const wait = Math.max(...waits);
    const waitMs = wait === 0 ? 0 : at - now + wait;
    if (cost === 0) {
      return { decision: this.#result(false, states, this.#scarcest(states, at), at, now, waitMs) };
    }
    if (waitMs > Math.min(maxWaitMs, this.#horizonMs)) {
      const decision = this.#result(true, states, waits.indexOf(wait), at, now, waitMs);
      return repair ? { decision, write: this.#write(states, at, at, now) } : { decision };
    }
    const moment = at + wait;
    const then = this.#algorithms.map((algorithm, i) => algorithm.advance(states[i]!, at, moment));
    const { decision, write } = this.#allow(this.#charge(then, moment, cost), moment, at, now);
    if (waitMs === 0) return { decision, write };
    const before = [at, ...states.flat()];
    return { decision: { ...decision, booking: { waitMs, before, after: write.record } }, write };
  }

  /** The state of each quota at the moment `at`. */
  #states(record: KeyState | undefined, repair: boolean, at: number): State[] {
    let next = 1;
    return this.#algorithms.map((algorithm) => {
      if (record === undefined) return algorithm.fresh;
      const state = record.slice(next, next + algorithm.fresh.length);
      next += algorithm.fresh.length;
      return repair ? algorithm.exhaust(state, at) : algorithm.advance(state, record[0]!, at);
    });
  }

  #charge(states: readonly State[], at: number, cost: number): State[] {
    return this.#algorithms.map((algorithm, i) => algorithm.charge(states[i]!, at, cost));
  }

  /** The states without a booking that was made before `at`. */
  #unbook(states: readonly State[], booking: Booking, at: number, cost: number): State[] {
    const before = this.#states(booking.before as KeyState, false, at);
    const after = this.#states(booking.after as KeyState, false, at);
    return this.#algorithms.map((algorithm, i) => {
      const state = states[i]!;
      return algorithm.unbook?.(state, before[i]!, after[i]!, at, cost) ?? algorithm.charge(state, at, -cost);
    });
  }

  /** The answer to a call that was charged at `moment`, which is `at` or, for a booking, later; the numbers are those of then. */
  #allow(states: readonly State[], moment: number, at: number, now: number): Required<Outcome> {
    const seen = moment === at ? now : moment;
    const decision = this.#result(false, states, this.#scarcest(states, moment), moment, seen, 0);
    return { decision, write: this.#write(states, moment, at, now) };
  }

  /** The record as of `at` of states as of `moment`. */
  #write(states: readonly State[], moment: number, at: number, now: number): NonNullable<Outcome["write"]> {
    const record = [at];
    let resetAfterMs = 0;
    this.#algorithms.forEach((algorithm, i) => {
      record.push(...algorithm.advance(states[i]!, moment, at));
      resetAfterMs = Math.max(resetAfterMs, algorithm.resetAfterMs(states[i]!, moment));
    });
    return { record, ttlMs: resetAfterMs === 0 ? 0 : moment - now + resetAfterMs };
  }

  /** The index of the quota with the least left, the first of equals. */
  #scarcest(states: readonly State[], at: number): number {
    const left = this.#algorithms.map((algorithm, i) => algorithm.remaining(states[i]!, at));
    return left.indexOf(Math.min(...left));
  }

  #result(
    limited: boolean,
    states: readonly State[],
    quotaIndex: number,
    at: number,
    now: number,
    retryAfterMs: number,
  ): RateLimitResult {
    const algorithm = this.#algorithms[quotaIndex]!;
    const state = states[quotaIndex]!;
    const resetAfterMs = algorithm.resetAfterMs(state, at);
    return {
      limited,
      quotaIndex,
      source: "store",
      limit: algorithm.capacity,
      remaining: algorithm.remaining(state, at),
      resetAfterMs: resetAfterMs === 0 ? 0 : at - now + resetAfterMs,
      retryAfterMs,
    };
  }
}

function algorithmType(using: AlgorithmName | AlgorithmType): AlgorithmType {
  const expected = `one of ${Object.keys(ALGORITHMS)
    .map((name) => `"${name}"`)
    .join(", ")}, or an algorithm of your own`;
  if (typeof using === "string" && Object.hasOwn(ALGORITHMS, using)) return ALGORITHMS[using];
  if (typeof using !== "function") throw new TypeError(complaint("using", expected, using));
  if (typeof using.algorithmName !== "string" || !/^[a-z][a-z0-9-]*$/.test(using.algorithmName)) {
    throw new TypeError(complaint("using.algorithmName", "a name in kebab case", using.algorithmName));
  }
  const known = ALGORITHMS[using.algorithmName as AlgorithmName];
  if (known !== undefined && known !== using) {
    throw new TypeError(complaint("using.algorithmName", "a name of its own", using.algorithmName));
  }
  return using;
}
