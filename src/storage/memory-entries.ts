import { LRUCache } from "lru-cache";
import type { Clock } from "../clock.js";
import type { Entries, Sum } from "../stores/entries.js";

/** Beyond it those are forgotten that were not used for longest. */
const MOST_ENTRIES = 65_536;

interface Entry {
  readonly text: string;
  readonly expiresAt: number;
}

/** Entries in the memory of this process, which leave when they are looked for after their time, or for want of room. */
export class MemoryEntries implements Entries {
  readonly #clock: Clock;
  // Sized by count instead of `max`, which would allocate for the whole of it at once.
  readonly #entries = new LRUCache<string, Entry>({ maxSize: MOST_ENTRIES, sizeCalculation: () => 1 });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get(key: string): Promise<string | undefined> {
    return this.#find(key)?.text;
  }

  async set(key: string, text: string, ttlMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#entries.set(key, { text, expiresAt: this.#clock.now() + ttlMs });
  }

  async increment(key: string, amount: number, ttlMs = Number.POSITIVE_INFINITY): Promise<Sum> {
    const entry = this.#find(key) ?? { text: "0", expiresAt: this.#clock.now() + ttlMs };
    const number = Number(entry.text);
    if (!Number.isSafeInteger(number)) return "no number";
    const sum = number + amount;
    if (!Number.isSafeInteger(sum)) return "too large";
    this.#entries.set(key, { ...entry, text: String(sum) });
    return sum;
  }

  async delete(key: string): Promise<boolean> {
    const found = this.#find(key) !== undefined;
    this.#entries.delete(key);
    return found;
  }

  async exists(key: string): Promise<boolean> {
    return this.#find(key) !== undefined;
  }

  async clear(): Promise<number> {
    const now = this.#clock.now();
    const { length } = [...this.#entries.values()].filter(({ expiresAt }) => expiresAt > now);
    this.#entries.clear();
    return length;
  }

  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt > this.#clock.now()) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}
