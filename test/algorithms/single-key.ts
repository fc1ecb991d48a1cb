import type { Booking, Decision, KeyState, Limiter } from "../../src/algorithms/limiter.js";

/** The first moment of a day and a week by UTC, at which a window of each usual period begins. */
export const ALIGNED = 2812 * 7 * 86_400_000;

/** One key of a limiter without a store around it: its record, and a clock that moves when told to. */
export class SingleKey {
  readonly limiter: Limiter;
  now: number;
  /** What a store would keep. */
  record: KeyState | undefined;
  /** The moment from which the record may be dropped. */
  expiresAt = Number.POSITIVE_INFINITY;

  constructor(limiter: Limiter, now = ALIGNED) {
    this.limiter = limiter;
    this.now = now;
  }

  /** The most that a fresh key can spend at once. */
  get capacity(): number {
    return Math.min(...this.limiter.quotas.map((_, i) => this.limiter.capacity(i)));
  }

  decide(cost: number, maxWaitMs = 0, booking?: Booking): Decision {
    const { decision, write } = this.limiter.decide(this.record, this.now, cost, maxWaitMs, booking);
    if (write !== undefined) {
      this.record = write.ttlMs === 0 ? undefined : write.record;
      this.expiresAt = this.now + write.ttlMs;
    }
    return decision;
  }

  /** Takes what fits and what does not, into debt. */
  charge(cost: number): Decision {
    return this.decide(cost, Number.POSITIVE_INFINITY);
  }

  refund(cost: number): Decision {
    return this.decide(-cost);
  }

  peek(): Decision {
    return this.decide(0);
  }

  /** The same key `ms` later, or earlier, for a question that leaves this one alone. */
  at(ms: number): SingleKey {
    const copy = new SingleKey(this.limiter, this.now + ms);
    copy.record = this.record;
    copy.expiresAt = this.expiresAt;
    return copy;
  }
}
