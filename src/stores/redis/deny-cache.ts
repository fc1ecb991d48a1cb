import { LRUCache } from "lru-cache";
import type { Decision, Limiter } from "../../algorithms/limiter.js";
import type { Clock } from "../../clock.js";

/** Limiters, and refused keys of each, that are remembered at most. */
const MOST_LIMITERS = 256;
const MOST_KEYS = 16_384;

/** The record that refused a call, at a moment by the clock that the store goes by, and when that was by this process's own. */
interface Refusal {
  readonly record: Float64Array;
  readonly now: number;
  readonly readAt: number;
}

/** What is remembered of a key: a refusal, or the number of the time when something was given back to it. */
type Memory = Refusal | number;

/**
 * Refuses here what the server would refuse: until a key may pass others can only take more of it, or give back what they
 * took, of which nobody here hears for as long as a refusal is remembered.
 */
export class DenyCache {
  readonly #mostMs: number;
  readonly #clock: Clock | undefined;
  /** By the id of the limiter, then by key. */
  readonly #refusals = new LRUCache<string, LRUCache<string, Memory>>({ max: MOST_LIMITERS });

  #givenBack = 0;

  /** @param mostMs how long a refusal is remembered at most. */
  constructor(mostMs: number, clock: Clock | undefined) {
    this.#mostMs = mostMs;
    this.#clock = clock;
  }

  /** How often something was given back, a number for each call to tell what it knows of. */
  get givenBack(): number {
    return this.#givenBack;
  }

  /** The refusal of a call, if that is certain. */
  refuse(limiter: Limiter, key: string, cost: number): Decision | undefined {
    const ofLimiter = this.#refusals.get(limiter.id);
    const refusal = ofLimiter?.get(key);
    if (refusal === undefined || typeof refusal === "number") return undefined;
    const { record, now: then, readAt } = refusal;
    const now = this.#clock?.now() ?? then + Math.floor(performance.now() - readAt);
    if (now - then >= this.#mostMs) {
      ofLimiter?.delete(key);
      return undefined;
    }
    const decision = limiter.decideAt(record.slice(), 0, now, cost, 0);
    return decision.limited ? decision : undefined;
  }

  /**
   * Remembers the record that `numbers` begin with, as it was at `now`, unless something was given back since the call was
   * made that it refused: `givenBack` is what it was then.
   */
  remember(limiter: Limiter, key: string, numbers: Float64Array, now: number, givenBack: number): void {
    const ofLimiter = this.#ofLimiter(limiter);
    const memory = ofLimiter.get(key);
    if (typeof memory === "number" && memory > givenBack) return;
    ofLimiter.set(key, { record: numbers.slice(0, limiter.size), now, readAt: performance.now() });
  }

  /** Forgets what refused a key, and what is still to be answered to calls from before. */
  forget(limiter: Limiter, key: string): void {
    this.#ofLimiter(limiter).set(key, ++this.#givenBack);
  }

  #ofLimiter({ id }: Limiter): LRUCache<string, Memory> {
    let ofLimiter = this.#refusals.get(id);
    if (ofLimiter === undefined) {
      // Sized by count instead of `max`, which would allocate for the whole of it at once.
      ofLimiter = new LRUCache({ maxSize: MOST_KEYS, sizeCalculation: () => 1 });
      this.#refusals.set(id, ofLimiter);
    }
    return ofLimiter;
  }
}
