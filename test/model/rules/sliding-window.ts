import { MOST, mostSlidingWindows } from "./bounds.js";
import { ceil, type ExactQuota, max, min, type Rule } from "./rule.js";

/**
 * The last window in which anything was used or booked, what is used in it, and in the one before. Windows between now and that
 * one count as full: nobody would have booked a place after them otherwise.
 */
interface Uses {
  readonly last: bigint;
  readonly used: bigint;
  readonly before: bigint;
}

/**
 * A fixed window that still counts the one before, with a weight that falls from all to nothing while the window passes:
 * weighted = ⌈previous · (P − 1 − e) / P⌉, and a call passes if and only if weighted + current + cost ≤ limit.
 */
export class SlidingWindowRule implements Rule<Uses> {
  readonly fresh: Uses = { last: 0n, used: 0n, before: 0n };
  readonly capacity: bigint;
  readonly refillMs: bigint;
  readonly horizonMs: bigint;
  readonly #limit: bigint;
  readonly #periodMs: bigint;
  /** How many windows ahead of now the last one can be. */
  readonly #most: bigint;

  constructor(quota: ExactQuota) {
    this.#limit = quota.limit;
    this.#periodMs = quota.periodMs;
    this.#most = mostSlidingWindows(quota);
    this.capacity = quota.limit;
    this.refillMs = quota.periodMs;
    this.horizonMs = max(0n, this.#most - 1n) * quota.periodMs;
  }

  #window(moment: bigint): bigint {
    return moment / this.#periodMs;
  }

  /** The same as of a window: one in which nothing was used yet becomes the last. */
  #asOf({ last, used, before }: Uses, window: bigint): Uses {
    if (window <= last) return { last, used, before };
    return { last: window, used: 0n, before: window === last + 1n ? used : 0n };
  }

  /** What counts at a moment, in the last window or after it. */
  #counts(state: Uses, moment: bigint): bigint {
    const { used, before } = this.#asOf(state, this.#window(moment));
    return ceil(before * (this.#periodMs - 1n - (moment % this.#periodMs)), this.#periodMs) + used;
  }

  fits(state: Uses, moment: bigint, cost: bigint): boolean {
    return this.#window(moment) >= state.last && this.#counts(state, moment) + cost <= this.#limit;
  }

  left(state: Uses, moment: bigint): bigint {
    if (this.#window(moment) < state.last) return 0n;
    return max(this.#limit - this.#counts(state, moment), 0n);
  }

  isFresh(state: Uses, moment: bigint): boolean {
    return this.#window(moment) >= state.last && this.#counts(state, moment) === 0n;
  }

  take(state: Uses, moment: bigint, cost: bigint): Uses {
    const window = this.#window(moment);
    const uses = this.#asOf(state, window);
    return cost < 0n ? this.#giveBack(uses, window, -cost) : this.#fill(uses, window, cost);
  }

  /** Units go into the last window, and what is above the limit into those that follow. */
  #fill({ last, used, before }: Uses, window: bigint, units: bigint): Uses {
    const limit = this.#limit;
    const all = min(used + units, MOST);
    if (all <= limit) return { last, used: all, before };
    const full = (all - 1n) / limit;
    if (last + full - window > this.#most) return { last: window + this.#most, used: limit, before: limit };
    return { last: last + full, used: all - full * limit, before: limit };
  }

  /** Units come off the last window first, then off the one before it, and so on, but off none before that of now. */
  #giveBack({ last, used, before }: Uses, window: bigint, units: bigint): Uses {
    if (units <= used) return { last, used: used - units, before };
    const rest = units - used;
    if (last === window) return { last, used: 0n, before: max(before - rest, 0n) };
    // From here on the window before the last one is not remembered, and taken as full.
    const full = this.#limit;
    const over = max(rest - before, 0n);
    const windows = ceil(over, full);
    const left: Uses = { last: last - 1n - windows, used: before + windows * full - rest, before: full };
    const isNothing = left.last < window || (left.last === window && left.used === 0n);
    return isNothing ? { last: window, used: 0n, before: 0n } : left;
  }

  /** Where the last unit stands in a line of full windows that begins with that of a moment. */
  #line(state: Uses, moment: bigint): bigint {
    const { last, used } = this.#asOf(state, this.#window(moment));
    return (last - this.#window(moment)) * this.#limit + used;
  }

  /**
   * If nothing came after it, all is as it was before. Otherwise the line gets shorter by what the booking made it longer, or by
   * the cost if the key was reset since then.
   */
  untake(state: Uses, moment: bigint, cost: bigint, before: Uses, after: Uses): Uses {
    const [now, then] = [state, after].map((each) => this.#asOf(each, this.#window(moment))) as [Uses, Uses];
    if (now.last === then.last && now.used === then.used && now.before === then.before) {
      return this.#asOf(before, this.#window(moment));
    }
    const units = this.#line(after, moment) - this.#line(before, moment);
    return this.take(state, moment, -(this.#line(state, moment) >= units ? units : cost));
  }

  usedUp(state: Uses, at: bigint, now: bigint): Uses {
    const window = this.#window(now);
    const { last, used, before } = this.#asOf(state, this.#window(at));
    const ahead = last - this.#window(at);
    if (ahead > 0n) return { last: window + ahead, used, before };
    const full = { last: window, used: 0n, before: this.#limit };
    return { ...full, used: this.#limit - this.#counts(full, now) };
  }

  guessFit(state: Uses, from: bigint, cost: bigint): bigint {
    const { last, used, before } = this.#asOf(state, this.#window(from));
    const room = this.#limit - cost;
    if (used > room) return (last + 1n) * this.#periodMs + this.#fallsTo(used, room);
    return last * this.#periodMs + this.#fallsTo(before, room - used);
  }

  guessFresh(state: Uses, from: bigint): bigint {
    const { last, used, before } = this.#asOf(state, this.#window(from));
    if (used > 0n) return (last + 2n) * this.#periodMs - 1n;
    return before > 0n ? (last + 1n) * this.#periodMs - 1n : last * this.#periodMs;
  }

  /** Milliseconds into a window until about `most` still counts of the one before. */
  #fallsTo(before: bigint, most: bigint): bigint {
    return before <= most ? 0n : min(this.#periodMs - (most * this.#periodMs) / before, this.#periodMs - 1n);
  }
}
