import { max, RULES, type Rule, type RuleQuota } from "./rules.js";

/** What a call is told. */
export interface ModelAnswer {
  readonly limited: boolean;
  readonly quotaIndex: number;
  readonly limit: number;
  readonly remaining: number;
  readonly resetAfterMs: number;
  readonly retryAfterMs: number;
  readonly waitMs: number;
}

/**
 * One key under one quota or several. Every moment is found by trying one millisecond after the other, which is slow and
 * leaves nothing to get wrong.
 */
export class ModelKey {
  readonly #capacities: readonly bigint[];
  readonly #rules: readonly Rule[];

  constructor(using: keyof typeof RULES, quotas: readonly RuleQuota[]) {
    this.#capacities = quotas.map(({ burst }) => BigInt(burst));
    this.#rules = quotas.map((quota) => new RULES[using](quota));
  }

  /** Whether nothing is owed: neither by a booking nor by a charge. */
  isSettled(at: number): boolean {
    const now = BigInt(at);
    return this.#rules.every((rule) => rule.fits(now, 0n, false));
  }

  decide(at: number, units: number, maxWaitMs: number): ModelAnswer {
    const [now, cost] = [BigInt(at), BigInt(units)];
    if (cost < 0n || maxWaitMs === Number.POSITIVE_INFINITY) return this.#spend(now, now, cost);
    const waits = this.#rules.map((rule, i) => {
      const needed = max(cost, 1n);
      if (needed > this.#capacities[i]!) return Number.POSITIVE_INFINITY;
      return Number(first(now, (moment) => rule.fits(moment, needed, maxWaitMs > 0)) - now);
    });
    const wait = Math.max(...waits);
    if (cost === 0n) return this.#answer(now, { wait });
    if (wait > maxWaitMs) return this.#answer(now, { limited: true, index: waits.indexOf(wait), wait });
    return this.#spend(now, now + BigInt(wait), cost);
  }

  #spend(now: bigint, moment: bigint, cost: bigint): ModelAnswer {
    for (const rule of this.#rules) rule.take(moment, cost);
    return { ...this.#answer(moment, {}), waitMs: Number(moment - now) };
  }

  /** The numbers at a moment: of the quota with the least left, unless it is named. */
  #answer(moment: bigint, told: { limited?: boolean; index?: number; wait?: number }): ModelAnswer {
    const left = this.#rules.map((rule) => Number(rule.left(moment)));
    const { limited = false, index = left.indexOf(Math.min(...left)), wait = 0 } = told;
    const rule = this.#rules[index]!;
    return {
      limited,
      quotaIndex: index,
      limit: Number(this.#capacities[index]),
      remaining: left[index]!,
      resetAfterMs: Number(first(moment, (each) => rule.isFresh(each)) - moment),
      retryAfterMs: wait,
      waitMs: 0,
    };
  }
}

/** The first moment of which something is true, from `start` on. */
function first(start: bigint, isTrue: (moment: bigint) => boolean): bigint {
  for (let moment = start; moment < start + 1_000_000n; moment++) if (isTrue(moment)) return moment;
  throw new Error("Expected a moment to come");
}
