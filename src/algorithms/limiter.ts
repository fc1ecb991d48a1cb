import { complaint } from "../argument.js";
import { type Quota, type QuotaInput, toQuotas } from "../quota.js";
import type { RateLimitResult } from "../result.js";
import type { Algorithm, AlgorithmType, Numbers } from "./algorithm.js";
import { AllOf } from "./all-of.js";
import { Bucket } from "./bucket.js";
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

type OneStep = Algorithm & Required<Pick<Algorithm, "spend">>;

/** One algorithm over one or several quotas, decided together: all pass, or none is charged. */
export class Limiter {
  /** What state depends on apart from the key, e.g. `"gcra:10/1000/20"`; limiters of equal id share their keys. */
  readonly id: string;
  /** The algorithm of every quota. */
  readonly algorithm: AlgorithmType;
  /** The quotas in the order of `quotaIndex`. */
  readonly quotas: readonly Quota[];
  /** How many numbers a record has. */
  readonly size: number;
  readonly #algorithm: OneStep;
  /** The same if there are several quotas, or an algorithm that does not do everything itself. */
  readonly #all: AllOf | undefined;
  readonly #refillMs: number;

  /** @throws TypeError, RangeError for an unknown algorithm or a quota that it can't keep. */
  constructor(using: AlgorithmName | AlgorithmType, quota: QuotaInput | readonly QuotaInput[]) {
    this.algorithm = algorithmType(using);
    this.quotas = toQuotas(quota);
    const algorithms = this.quotas.map((each) => create(this.algorithm, each));
    const [only] = algorithms;
    this.#all = algorithms.length > 1 || !only?.spend ? new AllOf(algorithms) : undefined;
    this.#algorithm = this.#all ?? (only as OneStep);
    this.#refillMs = this.#algorithm.refillMs;
    this.size = 1 + this.#algorithm.size;
    const text = this.quotas.map(({ limit, periodMs, burst }) => `${limit}/${periodMs}/${burst}`).join(";");
    this.id = `${this.algorithm.algorithmName}:${text}`;
  }

  /** The most that a fresh key can spend at once under one of the quotas. */
  capacity(quotaIndex: number): number {
    return (this.#all?.part(quotaIndex) ?? this.#algorithm).capacity;
  }

  /** The one decision, from the record of a key to the one to keep. Arguments as those of `decideAt`. */
  decide(
    stored: KeyState | undefined,
    now: number,
    cost: number,
    maxWaitMs: number,
    booking?: Booking,
  ): Outcome {
    const record = new Float64Array(this.size);
    if (stored !== undefined) record.set(stored);
    const before = record.slice();
    const decision = this.decideAt(record, 0, now, cost, maxWaitMs, booking);
    if (record.every((number, i) => number === before[i])) return { decision };
    return { decision, write: { record: Array.from(record), ttlMs: this.ttlMs(record, 0, now) } };
  }

  /**
   * The one decision, about the record that begins at `offset` of `records` and is changed in place; all 0 is a key that was
   * never used. A cost of 0 asks without spending. A call may book a place up to `maxWaitMs` ahead; with `Infinity` the cost
   * is charged at once whether it fits or not. A negative cost gives that many units back, and with `booking` what that
   * booking took: without a trace if nothing came after it.
   */
  decideAt(
    records: Numbers,
    offset: number,
    now: number,
    cost: number,
    maxWaitMs: number,
    booking?: Booking,
  ): Decision {
    const written = records[offset]!;
    if (cost <= 0 || maxWaitMs > 0 || written - now > this.#refillMs) {
      return this.#decideOtherwise(records, offset, now, cost, maxWaitMs, booking);
    }
    const at = written > now ? written : now;
    const wait = this.#algorithm.spend(records, offset + 1, written, at, cost);
    if (wait === 0) records[offset] = at;
    return this.#result(records, offset, at, now, cost, wait, false);
  }

  /** Milliseconds from now after which a record may be dropped, as it says no more than none; 0 drops it at once. */
  ttlMs(records: Numbers, offset: number, now: number): number {
    const at = records[offset]!;
    const resetAfterMs = this.#algorithm.resetAfterMs(records, offset + 1, at, at);
    return resetAfterMs === 0 ? 0 : Math.max(at - now + resetAfterMs, 0);
  }

  /** The part of its quota that a key has left now, from 0 to 1. */
  left(records: Numbers, offset: number, now: number): number {
    const from = records[offset]!;
    const at = Math.max(from, now);
    if (this.#all !== undefined) return this.#all.left(records, offset + 1, from, at);
    return this.#algorithm.remaining(records, offset + 1, from, at) / this.#algorithm.capacity;
  }

  /** All but the calls of every day, which cost something and do not wait. */
  #decideOtherwise(
    records: Numbers,
    offset: number,
    now: number,
    cost: number,
    maxWaitMs: number,
    booking: Booking | undefined,
  ): Decision {
    const written = records[offset]!;
    if (written - now > this.#refillMs) return this.#repair(records, offset, now, cost, maxWaitMs);
    const at = Math.max(written, now);
    if (cost < 0 || maxWaitMs === Number.POSITIVE_INFINITY) {
      this.#correct(records.subarray(offset, offset + this.size), at, cost, booking);
      return this.#result(records, offset, at, now, cost, 0, false);
    }
    const queued = maxWaitMs > 0;
    const wait = this.#algorithm.wait(records, offset + 1, written, at, Math.max(cost, 1), queued);
    if (wait > 0 && cost > 0 && at - now + wait <= Math.min(maxWaitMs, this.#algorithm.horizonMs)) {
      return this.#book(records.subarray(offset, offset + this.size), at, at + wait, now, cost);
    }
    if (wait === 0 && cost > 0) this.#charge(records, offset, at, cost);
    return this.#result(records, offset, at, now, cost, wait, queued);
  }

  /** Decides after the clock was set back so far that it would lock the key out until it is there again: as if it were used up. */
  #repair(records: Numbers, offset: number, now: number, cost: number, maxWaitMs: number): Decision {
    const record = records.slice(offset, offset + this.size);
    record[0] = now;
    this.#algorithm.exhaust(record, 1, now);
    const decision = this.decideAt(record, 0, now, cost, maxWaitMs);
    if (cost !== 0 || maxWaitMs === Number.POSITIVE_INFINITY) records.set(record, offset);
    return decision;
  }

  #charge(records: Numbers, offset: number, at: number, cost: number): void {
    this.#algorithm.charge(records, offset + 1, records[offset]!, at, cost);
    records[offset] = at;
  }

  /** Charges the cost whether it fits or not, or gives it back. */
  #correct(record: Numbers, at: number, cost: number, booking: Booking | undefined): void {
    // A key that was reset since then knows nothing of the booking.
    const known = booking !== undefined && (booking.after as KeyState)[0]! <= record[0]!;
    if (known && this.#algorithm.unbook !== undefined) {
      const before = Float64Array.from(booking.before as KeyState);
      const after = Float64Array.from(booking.after as KeyState);
      for (const each of [record, before, after]) this.#advance(each, at);
      this.#algorithm.unbook(record, 1, before, after, at, -cost);
    } else this.#charge(record, 0, at, cost);
  }

  /** Books a place at a moment to come; the numbers of the answer are those of then. */
  #book(record: Numbers, at: number, moment: number, now: number, cost: number): Decision {
    this.#advance(record, at);
    const before = Array.from(record);
    this.#charge(record, 0, moment, cost);
    const decision = this.#result(record, 0, moment, moment, cost, 0, true);
    this.#advance(record, at);
    return { ...decision, booking: { waitMs: moment - now, before, after: Array.from(record) } };
  }

  #advance(record: Numbers, to: number): void {
    this.#algorithm.advance(record, 1, record[0]!, to);
    record[0] = to;
  }

  /** The answer to a call that was charged, or has to wait: of several quotas, by the one that matters most. */
  #result(
    records: Numbers,
    offset: number,
    at: number,
    now: number,
    cost: number,
    wait: number,
    queued: boolean,
  ): RateLimitResult {
    const all = this.#all;
    const from = records[offset]!;
    const i = offset + 1;
    if (all === undefined) return result(this.#algorithm, 0, records, i, from, at, now, cost, wait);
    const index = all.decisive(records, i, from, at, wait > 0 ? cost : 0, queued);
    return result(all.part(index), index, records, all.indexOf(index, i), from, at, now, cost, wait);
  }
}

function result(
  algorithm: Algorithm,
  quotaIndex: number,
  numbers: Numbers,
  i: number,
  from: number,
  at: number,
  now: number,
  cost: number,
  wait: number,
): RateLimitResult {
  const resetAfterMs = algorithm.resetAfterMs(numbers, i, from, at);
  return {
    limited: wait > 0 && cost > 0,
    quotaIndex,
    source: "store",
    limit: algorithm.capacity,
    remaining: algorithm.remaining(numbers, i, from, at),
    resetAfterMs: resetAfterMs === 0 ? 0 : at - now + resetAfterMs,
    retryAfterMs: wait === 0 ? 0 : at - now + wait,
  };
}

/** Buckets of every name are of one class here, as V8 optimizes no call that finds objects of more than four. */
function create(type: AlgorithmType, quota: Quota): Algorithm {
  const isPaced = type === LeakyBucket;
  return isPaced || type === TokenBucket || type === Gcra ? new Bucket(quota, isPaced) : new type(quota);
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
