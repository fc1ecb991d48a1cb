import type { Booking, Decision, Limiter } from "../algorithms/limiter.js";
import { knownOptions, wholeNumber } from "../argument.js";
import { type Clock, checkClock, monotonicClock } from "../clock.js";
import { type SemaphoreRequest, type SemaphoreRules, SemaphoreState } from "../semaphore/state.js";
import { Keyspace } from "./keyspace.js";
import { type RecordTable, UNKNOWN } from "./record-table.js";
import type { StoreStatus } from "./status.js";
import type { Arrangement, SyncStore } from "./store.js";

/** Options of a `MemoryStore`. */
export interface MemoryStoreOptions {
  /** The most keys that are remembered, 65,536 by default; beyond it those are forgotten that have most left. */
  readonly maxSize?: number;
  /** Where the store reads the time; by default a monotonic clock. */
  readonly clock?: Clock;
}

/** Keys of each table of a large limiter, roughly: a map of more would hold up the call that makes it grow for milliseconds. */
const TABLE_SIZE = 8_192;

/** The most tables of one limiter: more keys than they hold then do not fit into the heap of a process. */
const MOST_TABLES = 1024;

/** How many limiters are compared to find one with many keys. */
const CANDIDATES = 3;

let shared: MemoryStore | undefined;

/** The store of all that are not told where to keep their keys. */
export function sharedStore(): MemoryStore {
  shared ??= new MemoryStore();
  return shared;
}

/** Keeps keys in the memory of this process: bounded, without timers; what is forgotten first is what has been used least. */
export class MemoryStore implements SyncStore, AsyncDisposable {
  readonly name = "memory";
  readonly sync = true;
  readonly clock: Clock;
  readonly #maxSize: number;
  /** Over how many tables the keys of a limiter with many are spread. */
  readonly #spread: number;
  /** By the id of the limiter: a key is looked up as it is, without gluing a prefix to it. */
  readonly #keyspaces = new Map<string, Keyspace>();
  /** The same in no order, for the sweep to go round. */
  readonly #round: Keyspace[] = [];
  #turn = 0;
  /** Who asked last, who mostly is the next one as well. */
  #recentLimiter: Limiter | undefined;
  #recentKeyspace: Keyspace | undefined;
  #size = 0;
  #forgotten = 0;
  /** By key, those that somebody holds or waits for. */
  readonly #semaphores = new Map<string, SemaphoreState>();
  /** Not lower than any of a semaphore that is gone. */
  #token = 0;

  /** @throws TypeError, RangeError */
  constructor(options: MemoryStoreOptions = {}) {
    knownOptions("options", options, ["maxSize", "clock"]);
    this.#maxSize = wholeNumber("maxSize", options.maxSize === undefined ? 65_536 : options.maxSize, 1);
    const tables = Math.min(Math.max(this.#maxSize / TABLE_SIZE, 1), MOST_TABLES);
    this.#spread = 2 ** Math.ceil(Math.log2(tables));
    this.clock = options.clock === undefined ? monotonicClock : checkClock(options.clock);
  }

  /** How many keys are remembered now, expired ones that were not swept yet included. */
  get size(): number {
    return this.#size;
  }

  decide(limiter: Limiter, key: string, cost: number, maxWaitMs: number, booking?: Booking): Decision {
    const now = this.clock.now();
    const keyspace = limiter === this.#recentLimiter ? this.#recentKeyspace! : this.#keyspace(limiter, now);
    const table = keyspace.table(key);
    const decision = table.decide(key, now, cost, maxWaitMs, booking);
    // What charges or gives back in any case may leave a record that says no more than none.
    const mayEmpty = cost < 0 || maxWaitMs === Number.POSITIVE_INFINITY;
    if (table.isUnknown || mayEmpty) this.#settle(keyspace, table, key, now);
    return decision;
  }

  /** Decides about all of them at the same moment. */
  decideMany(limiter: Limiter, keys: readonly string[], costs: readonly number[]): Decision[] {
    const now = this.clock.now();
    const keyspace = this.#keyspace(limiter, now);
    const decisions: Decision[] = [];
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const table = keyspace.table(key);
      decisions.push(table.decide(key, now, costs[i]!, 0, undefined));
      if (table.isUnknown) this.#settle(keyspace, table, key, now);
    }
    return decisions;
  }

  arrange(key: string, rules: SemaphoreRules, request?: SemaphoreRequest): Arrangement {
    const semaphore = this.#semaphores.get(key) ?? new SemaphoreState(this.#token);
    this.#semaphores.set(key, semaphore);
    const arrangement = semaphore.arrange(this.clock.now(), rules, request);
    if (semaphore.isEmpty && this.#semaphores.get(key) === semaphore) {
      this.#semaphores.delete(key);
      this.#token = Math.max(this.#token, semaphore.token);
    }
    return arrangement;
  }

  reset(limiter: Limiter, key: string): void {
    const keyspace = this.#keyspaces.get(limiter.id);
    const table = keyspace?.table(key);
    if (keyspace && table) this.#size -= keyspace.remove(table, table.slotOf(key));
  }

  /** How many keys it holds, and how many it forgot for want of room before they were fresh again (`counters.forgotten`). */
  status(): StoreStatus {
    const counters = { forgotten: this.#forgotten };
    return { type: this.name, keys: this.#size, connected: true, breaker: "closed", counters };
  }

  /** Forgets every key. */
  close(): void {
    this.#keyspaces.clear();
    this.#round.length = 0;
    this.#recentLimiter = undefined;
    this.#recentKeyspace = undefined;
    this.#size = 0;
    this.#semaphores.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #keyspace(limiter: Limiter, now: number): Keyspace {
    let keyspace = this.#keyspaces.get(limiter.id);
    if (keyspace === undefined) {
      // Whoever comes in looks after two that may have gone, the last one also, or limiters made for a single call pile up.
      this.#recentLimiter = undefined;
      this.#recentKeyspace = undefined;
      this.#sweep(now);
      this.#sweep(now);
      keyspace = new Keyspace(limiter, this.#spread);
      this.#keyspaces.set(limiter.id, keyspace);
      this.#round.push(keyspace);
    }
    this.#recentLimiter = limiter;
    this.#recentKeyspace = keyspace;
    return keyspace;
  }

  /** Gives what was written for an unknown key a place of its own, if anything was, and lets a key go that is fresh again. */
  #settle(keyspace: Keyspace, table: RecordTable, key: string, now: number): void {
    const slot = table.slotOf(key);
    if (!table.isUsed(slot, now)) this.#size -= keyspace.remove(table, slot);
    else if (slot === UNKNOWN) {
      // More are looked at than come in, so that those that have expired go faster than new ones come.
      this.#sweep(now);
      this.#size -= keyspace.sweep(now) + keyspace.sweep(now);
      if (this.#size >= this.#maxSize) this.#forget(keyspace, now);
      keyspace.add(table, key);
      this.#size++;
    }
  }

  /** Looks at one key of the limiter whose turn it is, and lets a limiter without keys go. */
  #sweep(now: number): void {
    const keyspace = this.#nextKeyspace();
    if (keyspace === undefined) return;
    this.#size -= keyspace.sweep(now);
    if (keyspace.size > 0 || keyspace === this.#recentKeyspace) return;
    this.#keyspaces.delete(keyspace.limiter.id);
    const last = this.#round.pop()!;
    if (last !== keyspace) this.#round[this.#turn] = last;
  }

  /** Makes room where there are most keys, so that a flood pushes out its own kind first. */
  #forget(keyspace: Keyspace, now: number): void {
    let largest = keyspace;
    for (let i = Math.min(CANDIDATES, this.#round.length); i > 1 || largest.size === 0; i--) {
      const other = this.#nextKeyspace()!;
      if (other.size > largest.size) largest = other;
    }
    const forgotten = largest.forget(now);
    this.#size -= forgotten;
    this.#forgotten += forgotten;
  }

  #nextKeyspace(): Keyspace | undefined {
    this.#turn = this.#turn + 1 < this.#round.length ? this.#turn + 1 : 0;
    return this.#round[this.#turn];
  }
}
