import { LRUCache } from "lru-cache";
import type { Booking, Decision, KeyState, Limiter } from "../algorithms/limiter.js";
import { knownOptions, wholeNumber } from "../argument.js";
import { type Clock, checkClock, monotonicClock } from "../clock.js";
import type { SyncStore } from "./store.js";

/** Options of a `MemoryStore`. */
export interface MemoryStoreOptions {
  /** The most keys that are remembered, 65,536 by default; beyond it those are forgotten that spent little and long ago. */
  readonly maxSize?: number;
  /** Where the store reads the time; by default a monotonic clock. */
  readonly clock?: Clock;
}

type Table = LRUCache<string, Entry>;

interface Entry {
  readonly table: Table;
  readonly key: string;
  record: KeyState;
  /** The moment from which the record says no more than none. */
  expiresAt: number;
  /** The part of the limit that was left: the less, the more it matters that the key is remembered. */
  left: number;
  /** Where the entry stands among all. */
  index: number;
}

/** How many entries each new key looks at for one that has expired: two, so that they go faster than new ones come. */
const SWEEP = 2;

/** How many of the least recently used keys are weighed when one must be forgotten. */
const CANDIDATES = 8;

/** Keeps keys in the memory of this process: bounded, least recently used first out, without timers. */
export class MemoryStore implements SyncStore, AsyncDisposable {
  readonly name = "memory";
  readonly sync = true;
  readonly clock: Clock;
  readonly #maxSize: number;
  /** A table for each limiter, by its id: a key is looked up as it is, without gluing a prefix to it. */
  readonly #tables = new Map<string, Table>();
  /** Every entry, in no order, for the sweep to go round. */
  readonly #entries: Entry[] = [];
  #swept = 0;

  /** @throws TypeError, RangeError */
  constructor(options: MemoryStoreOptions = {}) {
    knownOptions("options", options, ["maxSize", "clock"]);
    this.#maxSize = wholeNumber("maxSize", options.maxSize === undefined ? 65_536 : options.maxSize, 1);
    this.clock = options.clock === undefined ? monotonicClock : checkClock(options.clock);
  }

  /** How many keys are remembered now, expired ones that were not swept yet included. */
  get size(): number {
    return this.#entries.length;
  }

  decide(limiter: Limiter, key: string, cost: number, maxWaitMs: number, booking?: Booking): Decision {
    const entry = this.#tables.get(limiter.id)?.get(key);
    const now = this.clock.now();
    const { decision, write } = limiter.decide(entry?.record, now, cost, maxWaitMs, booking);
    if (write === undefined) return decision;
    if (write.ttlMs === 0) this.reset(limiter, key);
    else {
      const known = entry ?? this.#insert(limiter.id, key, write.record, now);
      known.record = write.record;
      known.expiresAt = now + write.ttlMs;
      known.left = decision.remaining / decision.limit;
    }
    return decision;
  }

  reset(limiter: Limiter, key: string): void {
    this.#tables.get(limiter.id)?.delete(key);
  }

  /** Forgets every key. */
  close(): void {
    for (const table of this.#tables.values()) table.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #insert(id: string, key: string, record: KeyState, now: number): Entry {
    this.#sweep(now);
    if (this.#entries.length >= this.#maxSize) this.#forget(now);
    const table = this.#table(id);
    const entry: Entry = { table, key, record, expiresAt: now, left: 1, index: this.#entries.length };
    this.#entries.push(entry);
    table.set(key, entry);
    return entry;
  }

  #table(id: string): Table {
    let table = this.#tables.get(id);
    if (table === undefined) {
      // Sized by count instead of `max`, which would allocate for the whole of it in each table.
      const bound = { maxSize: this.#maxSize, sizeCalculation: () => 1 };
      table = new LRUCache({ ...bound, disposeAfter: (entry: Entry) => this.#remove(id, entry) });
      this.#tables.set(id, table);
    }
    return table;
  }

  #remove(id: string, { table, index }: Entry): void {
    const last = this.#entries.pop()!;
    if (last.index !== index) {
      last.index = index;
      this.#entries[index] = last;
    }
    if (table.size === 0) this.#tables.delete(id);
  }

  #sweep(now: number): void {
    for (let looks = SWEEP; looks > 0 && this.#entries.length > 0; looks--) {
      this.#swept = (this.#swept + 1) % this.#entries.length;
      const { table, key, expiresAt } = this.#entries[this.#swept]!;
      if (expiresAt <= now) table.delete(key);
    }
  }

  /**
   * Makes room in the largest table, so that a flood of new keys pushes out its own kind first. Of the keys used longest ago
   * the one goes that has most left; the others get another turn, as to forget them would be to give them a fresh quota.
   */
  #forget(now: number): void {
    const table = [...this.#tables.values()].reduce((one, other) => (other.size > one.size ? other : one));
    let victim: Entry | undefined;
    for (let looks = Math.min(CANDIDATES, table.size); looks > 0; looks--) {
      const [, entry] = table.rentries().next().value as [string, Entry];
      if (entry.expiresAt <= now) entry.left = 1;
      if (victim === undefined || entry.left > victim.left) victim = entry;
      table.get(entry.key);
    }
    table.delete(victim!.key);
  }
}
