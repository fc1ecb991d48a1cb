import { complaint, describe, knownOptions } from "../argument.js";
import { monotonicClock } from "../clock.js";
import { type Duration, toMs } from "../duration.js";
import { checkKey } from "../key.js";
import type { Entries } from "../stores/entries.js";
import { sharedStore } from "../stores/memory-store.js";
import type { Store } from "../stores/store.js";
import { MemoryEntries } from "./memory-entries.js";

/** Options of a `Storage`. */
export interface StorageOptions {
  /** Over whose connection values are kept, a `RedisStore` or a `MemoryStore`; by default the one that the whole process shares. */
  readonly store?: Store | undefined;
  /** Which values these are, `"values"` by default: storages of one store and name share theirs. */
  readonly name?: string | undefined;
}

/** For how long a value is kept. */
export interface LifetimeOptions {
  /** 1 ms or more; for ever by default. */
  readonly ttl?: Duration | undefined;
}

/** What is kept in memory, by store and by name. */
const inMemory = new WeakMap<Store, Map<string, Entries>>();

/** Values by key beside a limiter, over the same connection: anything that JSON can say, for ever or for a time. */
export class Storage {
  readonly #entries: Entries;

  /** @throws TypeError, RangeError naming the option that is wrong. */
  constructor(options: StorageOptions = {}) {
    knownOptions("options", options, ["store", "name"]);
    const { store = sharedStore(), name = "values" } = options;
    this.#entries = entriesOf(store, checkKey(name, "name"));
  }

  /** The value of a key, or `undefined` if there is none (any more). Rejects with a TypeError, RangeError or StoreError, as all methods do. */
  async get<T = unknown>(key: string): Promise<T | undefined> {
    const text = await this.#entries.get(checkKey(key));
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** Keeps a value, for `ttl` or for ever, in place of the one before. */
  async set(key: string, value: unknown, options: LifetimeOptions = {}): Promise<void> {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(complaint("value", "something that JSON can say", value));
    await this.#entries.set(checkKey(key), text, ttlOf(options));
  }

  /**
   * Adds `amount`, a whole number and 1 by default, to the value of a key, which is 0 if there is none, and answers with the
   * sum. A key that is new lives for `ttl`; one that is not keeps its time.
   */
  async increment(key: string, amount = 1, options: LifetimeOptions = {}): Promise<number> {
    if (!Number.isSafeInteger(amount)) throw new TypeError(complaint("amount", "a whole number", amount));
    const sum = await this.#entries.increment(checkKey(key), amount, ttlOf(options));
    if (sum === "no number")
      throw new TypeError(`Expected the value of ${describe(key)} to be a whole number`);
    if (sum === "too large")
      throw new RangeError(`Expected the value of ${describe(key)} to stay below 2^53`);
    return sum;
  }

  /** Forgets a key; answers whether it had a value. */
  async delete(key: string): Promise<boolean> {
    return this.#entries.delete(checkKey(key));
  }

  /** Whether a key has a value. */
  async exists(key: string): Promise<boolean> {
    return this.#entries.exists(checkKey(key));
  }

  /** Forgets all keys of this storage, and nothing of a limiter; answers with how many there were. */
  async clear(): Promise<number> {
    return this.#entries.clear();
  }
}

function ttlOf(options: LifetimeOptions): number | undefined {
  knownOptions("options", options, ["ttl"]);
  const { ttl } = options;
  if (ttl === undefined) return undefined;
  const ttlMs = toMs("ttl", ttl);
  if (ttlMs === 0) throw new RangeError(complaint("ttl", "a duration of 1 ms or more", ttl));
  return ttlMs;
}

function entriesOf(store: Store, name: string): Entries {
  if (typeof store?.entries === "function") return store.entries(name);
  if (store?.sync !== true) throw new TypeError(complaint("store", "a store that keeps values", store));
  const ofStore = inMemory.get(store) ?? new Map<string, Entries>();
  inMemory.set(store, ofStore);
  const entries = ofStore.get(name) ?? new MemoryEntries(store.clock ?? monotonicClock);
  ofStore.set(name, entries);
  return entries;
}
