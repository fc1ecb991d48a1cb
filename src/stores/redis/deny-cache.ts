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

/**
 * Refuses here what the server would refuse: until a key may pass others can only take more of it, or give back what they
 * took, of which nobody here hears for as long as a refusal is remembered.
 */
export class DenyCache {
  readonly #mostMs: number;
  readonly #clock: Clock | undefined;
  /** By the id of the limiter, then by key. */
  readonly #refusals = new LRUCache<string, LRUCache<string, Refusal>>({ max: MOST_LIMITERS });

  /** @param mostMs how long a refusal is remembered at most. */
  constructor(mostMs: number, clock: Clock | undefined) {
    this.#mostMs = mostMs;
    this.#clock = clock;
  }

  /** The refusal of a call, if that is certain. */
  refuse(limiter: Limiter, key: string, cost: number): Decision | undefined {
    const ofLimiter = this.#refusals.get(limiter.id);
    const refusal = ofLimiter?.get(key);
    if (refusal === undefined) return undefined;
    const { record, now: then, readAt } = refusal;
    const now = this.#clock?.now() ?? then + Math.floor(performance.now() - readAt);
    if (now - then >= this.#mostMs) {
      ofLimiter?.delete(key);
      return undefined;
    }
    const decision = limiter.decideAt(record.slice(), 0, now, cost, 0);
    return decision.limited ? decision : undefined;
  }

  /** Remembers the record that `numbers` begin with, as it was at `now`. */
  remember(limiter: Limiter, key: string, numbers: Float64Array, now: number): void {
    const record = numbers.slice(0, limiter.size);
    let ofLimiter = this.#refusals.get(limiter.id);
    if (ofLimiter === undefined) {
      // Sized by count instead of `max`, which would allocate for the whole of it at once.
      ofLimiter = new LRUCache({ maxSize: MOST_KEYS, sizeCalculation: () => 1 });
      this.#refusals.set(limiter.id, ofLimiter);
    }
    ofLimiter.set(key, { record, now, readAt: performance.now() });
  }

  forget(limiter: Limiter, key: string): void {
    this.#refusals.get(limiter.id)?.delete(key);
  }
}
