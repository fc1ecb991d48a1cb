import { LRUCache } from "lru-cache";
import type { Booking, Decision, KeyState, Limiter } from "../algorithms/limiter.js";
import { complaint, knownOptions, wholeNumber } from "../argument.js";
import { type Clock, monotonicClock } from "../clock.js";
import type { SyncStore } from "./store.js";

/** Options of a `MemoryStore`. */
export interface MemoryStoreOptions {
  /** The most keys that are remembered, 65,536 by default; beyond it those are forgotten that spent little and long ago. */
  readonly maxSize?: number;
  /** Where the store reads the time; by default a monotonic clock. */
  readonly clock?: Clock;
}

interface Entry {
  record: KeyState;
  /** The moment from which the record says no more than none. */
  expiresAt: number;
  /** Whether at most half of the limit was left: to forget such a key would be to give it a fresh quota. */
  spent: boolean;
}

type Table = LRUCache<string, Entry>;

/** How many entries each new key looks at for one that has expired: two, so that they go faster than new ones come. */
const SWEEP = 2;

/** How many keys that spent much are passed over for one that may be forgotten; more would make a full store slow. */
const SECOND_CHANCES = 8;

/** Keeps keys in the memory of this process: bounded, least recently used first out, without timers. */
export class MemoryStore implements SyncStore, AsyncDisposable {
  readonly name = "memory";
  readonly sync = true;
  readonly clock: Clock;
  readonly #maxSize: number;
  /** A table for each limiter, by its id: a key is looked up as it is, without gluing a prefix to it. */
  readonly #tables = new Map<string, Table>();
  #size = 0;
  #hand = this.#walk();

  /** @throws TypeError, RangeError */
  constructor(options: MemoryStoreOptions = {}) {
    knownOptions("options", options, ["maxSize", "clock"]);
    this.#maxSize = wholeNumber("maxSize", options.maxSize ?? 65_536, 1);
    this.clock = options.clock ?? monotonicClock;
    if (typeof this.clock.now !== "function")
      throw new TypeError(complaint("clock", "a clock with `now()`", this.clock));
  }

  /** How many keys are remembered now, expired ones that were not swept yet included. */
  get size(): number {
    return this.#size;
  }

  decide(limiter: Limiter, key: string, cost: number, maxWaitMs: number, booking?: Booking): Decision {
    const entry = this.#tables.get(limiter.id)?.get(key);
    const now = this.clock.now();
    const { decision, write } = limiter.decide(entry?.record, now, cost, maxWaitMs, booking);
    if (write === undefined) return decision;
    const spent = decision.remaining * 2 <= decision.limit;
    const next: Entry = { record: write.record, expiresAt: now + write.ttlMs, spent };
    if (write.ttlMs === 0) this.reset(limiter, key);
    else if (entry === undefined) this.#insert(limiter, key, next, now);
    else Object.assign(entry, next);
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

  #insert(limiter: Limiter, key: string, entry: Entry, now: number): void {
    this.#sweep(now);
    if (this.#size >= this.#maxSize) this.#forget(now);
    this.#table(limiter.id).set(key, entry);
    this.#size++;
  }

  #table(id: string): Table {
    let table = this.#tables.get(id);
    if (table === undefined) {
      // Sized by count instead of `max`, which would allocate for the whole of it in each table.
      table = new LRUCache({ maxSize: this.#maxSize, sizeCalculation: () => 1, dispose: () => this.#size-- });
      this.#tables.set(id, table);
    }
    return table;
  }

  /** Makes room in the largest table, so that a flood of new keys pushes out its own kind first. */
  #forget(now: number): void {
    const table = this.#largest();
    for (let chances = SECOND_CHANCES; ; chances--) {
      const [key, entry] = table.rentries().next().value as [string, Entry];
      if (chances === 0 || !entry.spent || entry.expiresAt <= now) {
        table.delete(key);
        return;
      }
      table.get(key);
    }
  }

  #largest(): Table {
    return [...this.#tables.values()].reduce((one, other) => (other.size > one.size ? other : one));
  }

  #sweep(now: number): void {
    for (let looks = 0; looks < SWEEP; looks++) {
      const { value, done } = this.#hand.next();
      if (done) this.#hand = this.#walk();
      else if (value.entry.expiresAt <= now) value.table.delete(value.key);
    }
  }

  /** Every entry, table by table; tables found empty are dropped on the way. */
  *#walk(): Generator<{ table: Table; key: string; entry: Entry }, undefined> {
    for (const [id, table] of this.#tables) {
      for (const [key, entry] of table.rentries() as Iterable<[string, Entry]>) yield { table, key, entry };
      if (table.size === 0) this.#tables.delete(id);
    }
  }
}
