import type { Quota } from "../../src/index.js";
import { firstMoment, max, min } from "./rules/rule.js";
import { type RuleName, ruleOf } from "./rules/rules.js";

/** What a call is told; `waitMs` is how far ahead its place is, 0 if it goes at once. */
export interface ModelAnswer {
  readonly limited: boolean;
  readonly quotaIndex: number;
  readonly limit: number;
  readonly remaining: number;
  readonly resetAfterMs: number;
  readonly retryAfterMs: number;
  readonly waitMs: number;
}

/** A place that was booked at a moment: the states of all quotas before and after it. */
export interface ModelBooking {
  readonly cost: number;
  readonly at: bigint;
  readonly before: readonly unknown[];
  readonly after: readonly unknown[];
}

/** A wait that never ends. */
const NEVER = -1n;

/** What is remembered of a key: the states of all quotas, and when they were written. */
interface ModelRecord {
  readonly states: readonly unknown[];
  readonly at: bigint;
}

/** One key under one quota or several, all of which must pass: what it answers, and what that leaves. */
export class ModelKey {
  /** The place that the last call booked, if it did. */
  booked: ModelBooking | undefined;
  readonly #rules: readonly ReturnType<typeof ruleOf>[];
  readonly #refillMs: bigint;
  readonly #horizonMs: bigint;
  readonly #fresh: ModelRecord;
  #record: ModelRecord | undefined;

  constructor(using: RuleName, quotas: readonly Quota[]) {
    this.#rules = quotas.map((quota) => ruleOf(using, quota));
    this.#fresh = { states: this.#rules.map(({ fresh }) => fresh), at: 0n };
    this.#refillMs = this.#rules.map((rule) => rule.refillMs).reduce(max);
    this.#horizonMs = this.#rules.map((rule) => rule.horizonMs).reduce(min);
  }

  /** What was last written, nothing if nothing is remembered of it; another object each time that something is written. */
  get record(): ModelRecord | undefined {
    return this.#record;
  }

  get #states(): readonly unknown[] {
    return (this.#record ?? this.#fresh).states;
  }

  get #at(): bigint {
    return (this.#record ?? this.#fresh).at;
  }

  /** Milliseconds from a moment on until it is as good as fresh, by all of its quotas. */
  freshAfterMs(moment: number): number {
    const now = BigInt(moment);
    const from = max(now, this.#at);
    const moments = this.#rules.map((_, i) => this.#freshAt(i, from));
    return moments.every((each) => each === from) ? 0 : Number(moments.reduce(max) - now);
  }

  /** Units of each quota that can be spent at a moment. */
  left(moment: number): bigint[] {
    const at = max(BigInt(moment), this.#at);
    return this.#rules.map((rule, i) => rule.left(this.#states[i], at));
  }

  /** As if it had never been used. */
  forget(): void {
    this.#record = undefined;
  }

  /**
   * The answer to a call at a moment of the clock. A cost of 0 asks, one below 0 is given back, by its booking if it was booked;
   * with a `maxWaitMs` of `Infinity` it is taken whether it fits or not.
   */
  decide(moment: number, cost: number, maxWaitMs: number, booking?: ModelBooking): ModelAnswer {
    const [now, units] = [BigInt(moment), BigInt(cost)];
    this.booked = undefined;
    // The clock was set back by more than a refill: the key counts as just used up, from the first call that costs something.
    if (this.#at - now > this.#refillMs) return this.#decideUsedUp(now, moment, cost, maxWaitMs);
    // A clock that was set back by less stands still.
    const at = max(now, this.#at);
    if (cost < 0 || maxWaitMs === Number.POSITIVE_INFINITY) return this.#correct(now, at, units, booking);
    const queued = maxWaitMs > 0;
    const waits = this.#rules.map((_, i) => this.#wait(i, at, max(units, 1n), queued));
    const wait = waits.includes(NEVER) ? NEVER : waits.reduce(max);
    const longest = waits.indexOf(wait);
    const until = wait === NEVER ? NEVER : at - now + wait;
    if (cost === 0) return this.#answer(now, at, { retryAfter: wait === 0n ? 0n : until });
    if (wait === 0n) {
      this.#take(at, at, units);
      return this.#answer(now, at, {});
    }
    const isInTime = until !== NEVER && until <= maxWaitMs && until <= this.#horizonMs;
    return isInTime
      ? this.#book(now, at, at + wait, cost)
      : this.#answer(now, at, { index: longest, retryAfter: until });
  }

  #decideUsedUp(now: bigint, moment: number, cost: number, maxWaitMs: number): ModelAnswer {
    const record = this.#record;
    const at = this.#at;
    this.#write(now, (rule, state) => rule.usedUp(state, at, now));
    const answer = this.decide(moment, cost, maxWaitMs);
    if (cost === 0) this.#record = record;
    return answer;
  }

  #correct(now: bigint, at: bigint, units: bigint, booking: ModelBooking | undefined): ModelAnswer {
    // A key that was written last before the place was booked was reset since then, and knows nothing of it.
    if (booking !== undefined && booking.at <= this.#at) {
      const { before, after } = booking;
      this.#write(at, (rule, state, i) => rule.untake(state, at, -units, before[i], after[i]));
    } else this.#take(at, at, units);
    const answer = this.#answer(now, at, {});
    // Nothing is kept of a key to which all was given back.
    if (units < 0n && this.#rules.every((rule, i) => rule.isFresh(this.#states[i], at))) this.forget();
    return answer;
  }

  #book(now: bigint, at: bigint, moment: bigint, cost: number): ModelAnswer {
    const before = this.#states;
    this.#take(moment, at, BigInt(cost));
    this.booked = { cost, at, before, after: this.#states };
    return { ...this.#answer(moment, moment, {}), waitMs: Number(moment - now) };
  }

  #take(moment: bigint, at: bigint, units: bigint): void {
    this.#write(at, (rule, state) => rule.take(state, moment, units));
  }

  #write(at: bigint, next: (rule: ReturnType<typeof ruleOf>, state: unknown, i: number) => unknown): void {
    const states = this.#states;
    this.#record = { states: this.#rules.map((rule, i) => next(rule, states[i], i)), at };
  }

  #wait(i: number, at: bigint, cost: bigint, queued: boolean): bigint {
    const [rule, state] = [this.#rules[i]!, this.#states[i]];
    if (cost > rule.capacity) return NEVER;
    if (rule.fits(state, at, cost, queued)) return 0n;
    const guess = rule.guessFit(state, at, cost, queued);
    return firstMoment(at, guess, (moment) => rule.fits(state, moment, cost, queued)) - at;
  }

  #freshAt(i: number, at: bigint): bigint {
    const [rule, state] = [this.#rules[i]!, this.#states[i]];
    if (rule.isFresh(state, at)) return at;
    return firstMoment(at, rule.guessFresh(state, at), (moment) => rule.isFresh(state, moment));
  }

  /**
   * The numbers of the quota that was refused or, if none was, of the one with the least left, the first of equals; as they are
   * at the moment `at`, counted from `now`.
   */
  #answer(now: bigint, at: bigint, told: { index?: number; retryAfter?: bigint }): ModelAnswer {
    const left = this.#rules.map((rule, i) => rule.left(this.#states[i], at));
    const least = left.reduce(min);
    const { index = left.indexOf(least), retryAfter = 0n } = told;
    const freshAt = this.#freshAt(index, at);
    return {
      limited: told.index !== undefined,
      quotaIndex: index,
      limit: Number(this.#rules[index]!.capacity),
      remaining: Number(left[index]),
      resetAfterMs: freshAt === at ? 0 : Number(freshAt - now),
      retryAfterMs: retryAfter === NEVER ? Number.POSITIVE_INFINITY : Number(retryAfter),
      waitMs: 0,
    };
  }
}
