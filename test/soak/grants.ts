import { isStoreError } from "../../src/errors.js";
import type { RateLimitResult } from "../../src/result.js";

/** What a key may spend. */
export interface Bound {
  readonly atOnce: number;
  readonly perSecond: number;
  /** Besides, each time its store forgets it; as much as at once unless places were booked. */
  readonly whenForgotten?: number;
}

/** Counts what was granted, and tells where it was more than a bound allows. */
export class Grants {
  readonly #name: string;
  readonly #bound: Bound;
  readonly #timesForgotten: () => number;
  readonly #granted = { store: 0, fallback: 0 };
  #since = performance.now();
  #forgottenBefore = 0;
  #givenBack = 0;
  /** Answers of any kind since it was asked last. */
  #answers = 0;
  #all = 0;
  #errors = 0;
  #limited = 0;

  /** @param timesForgotten how often the store forgot its keys, since it began. */
  constructor(name: string, bound: Bound, timesForgotten: () => number = () => 0) {
    this.#name = name;
    this.#bound = bound;
    this.#timesForgotten = timesForgotten;
  }

  count({ limited, source }: Pick<RateLimitResult, "limited" | "source">): void {
    this.#answers++;
    this.#all++;
    if (limited) this.#limited++;
    else this.#granted[source === "fallback" ? "fallback" : "store"]++;
  }

  /** A unit that may be spent anew. */
  countGivenBack(): void {
    this.#answers++;
    this.#givenBack++;
  }

  /** @throws an error that is none of a store that is unavailable. */
  countError(error: unknown): void {
    if (!isStoreError(error)) throw error;
    this.#answers++;
    this.#errors++;
  }

  get figures(): Readonly<Record<string, number>> {
    return { calls: this.#all, limited: this.#limited, "store errors": this.#errors };
  }

  faults(): string[] {
    const now = performance.now();
    const refilled = ((now - this.#since + 1) / 1_000) * this.#bound.perSecond + 1;
    const forgotten = this.#timesForgotten();
    const once = this.#bound.atOnce + refilled + this.#givenBack;
    const most = {
      store: once + (forgotten - this.#forgottenBefore) * (this.#bound.whenForgotten ?? this.#bound.atOnce),
      fallback: once,
    };
    const faults = (["store", "fallback"] as const)
      .filter((source) => this.#granted[source] > most[source])
      .map(
        (source) =>
          `${this.#name}: ${source} granted ${this.#granted[source]}, at most ${most[source]} are right`,
      );
    if (this.#answers === 0) faults.push(`${this.#name}: no answers`);
    this.#since = now;
    this.#forgottenBefore = forgotten;
    this.#givenBack = this.#answers = 0;
    this.#granted.store = this.#granted.fallback = 0;
    return faults;
  }
}
