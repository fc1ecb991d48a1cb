import { LRUCache } from "lru-cache";
import type { Decision, Limiter } from "../../algorithms/limiter.js";
import type { Clock } from "../../clock.js";

/** Refused keys, of all limiters together, that are remembered at most. */
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
  /** By the id of the limiter and the key. Sized by count instead of `max`, which would allocate for the whole of it at once. */
  readonly #memories = new LRUCache<string, Memory>({ maxSize: MOST_KEYS, sizeCalculation: () => 1 });
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
    const name = nameOf(limiter, key);
    const refusal = this.#memories.get(name);
    if (refusal === undefined || typeof refusal === "number") return undefined;
    const { record, now: then, readAt } = refusal;
    const now = this.#clock?.now() ?? then + Math.floor(performance.now() - readAt);
    if (now - then >= this.#mostMs) {
      this.#memories.delete(name);
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
    const name = nameOf(limiter, key);
    const memory = this.#memories.get(name);
    if (typeof memory === "number" && memory > givenBack) return;
    this.#memories.set(name, { record: numbers.slice(0, limiter.size), now, readAt: performance.now() });
  }

  /** Forgets what refused a key, and what is still to be answered to calls from before. */
  forget(limiter: Limiter, key: string): void {
    this.#memories.set(nameOf(limiter, key), ++this.#givenBack);
  }
}

function nameOf({ id }: Limiter, key: string): string {
  return `${id}:${key}`;
}
