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

/** What is remembered of a key. */
interface Memory {
  /** That of the limiter. */
  readonly id: string;
  readonly key: string;
  refusal: Refusal | undefined;
  /** The number of the time when something was last given back to it. */
  givenBack: number;
}

/**
 * Refuses here what the server would refuse: until a key may pass others can only take more of it, or give back what they
 * took, of which nobody here hears for as long as a refusal is remembered.
 */
export class DenyCache {
  readonly #mostMs: number;
  readonly #clock: Clock | undefined;
  /** By the id of the limiter, and then by key: a name of both would have to be made for each call. */
  readonly #tables = new Map<string, Map<string, Memory>>();
  /** All of them, the latest last. Sized by count instead of `max`, which would allocate for the whole of it at once. */
  readonly #memories = new LRUCache<Memory, true>({
    maxSize: MOST_KEYS,
    sizeCalculation: () => 1,
    dispose: (_, memory) => this.#drop(memory),
  });
  #givenBack = 0;
  #refused = 0;

  /** @param mostMs how long a refusal is remembered at most. */
  constructor(mostMs: number, clock: Clock | undefined) {
    this.#mostMs = mostMs;
    this.#clock = clock;
  }

  /** How often something was given back, a number for each call to tell what it knows of. */
  get givenBack(): number {
    return this.#givenBack;
  }

  /** How many calls were refused here. */
  get refused(): number {
    return this.#refused;
  }

  /** The refusal of a call, if that is certain. */
  refuse(limiter: Limiter, key: string, cost: number): Decision | undefined {
    const memory = this.#tables.get(limiter.id)?.get(key);
    const refusal = memory?.refusal;
    if (memory === undefined || refusal === undefined) return undefined;
    const { record, now: then, readAt } = refusal;
    const now = this.#clock?.now() ?? then + Math.floor(performance.now() - readAt);
    if (now - then >= this.#mostMs) {
      this.#memories.delete(memory);
      return undefined;
    }
    const decision = limiter.decideAt(record.slice(), 0, now, cost, 0);
    if (!decision.limited) return undefined;
    this.#refused++;
    return decision;
  }

  /**
   * Remembers the record that `numbers` begin with, as it was at `now`, unless something was given back since the call was
   * made that it refused: `givenBack` is what it was then.
   */
  remember(limiter: Limiter, key: string, numbers: Float64Array, now: number, givenBack: number): void {
    const memory = this.#memoryOf(limiter, key);
    if (memory.givenBack > givenBack) return;
    memory.refusal = { record: numbers.slice(0, limiter.size), now, readAt: performance.now() };
  }

  /** Forgets what refused a key, and what is still to be answered to calls from before. */
  forget(limiter: Limiter, key: string): void {
    const memory = this.#memoryOf(limiter, key);
    memory.refusal = undefined;
    memory.givenBack = ++this.#givenBack;
  }

  /** What is remembered of a key, now as the latest. */
  #memoryOf({ id }: Limiter, key: string): Memory {
    let table = this.#tables.get(id);
    if (table === undefined) {
      table = new Map();
      this.#tables.set(id, table);
    }
    let memory = table.get(key);
    if (memory === undefined) {
      memory = { id, key, refusal: undefined, givenBack: 0 };
      table.set(key, memory);
    }
    this.#memories.set(memory, true);
    return memory;
  }

  #drop({ id, key }: Memory): void {
    const table = this.#tables.get(id)!;
    table.delete(key);
    if (table.size === 0) this.#tables.delete(id);
  }
}
