import type { Limiter } from "../algorithms/limiter.js";
import { RecordTable, UNKNOWN } from "./record-table.js";

/** How many tables are compared to find a large one. */
const CANDIDATES = 3;

/** All keys of one limiter, in one table or spread over several: a call waits until the map behind its table has grown. */
export class Keyspace {
  readonly limiter: Limiter;
  /** How many keys it holds. */
  size = 0;
  /** A power of two. */
  readonly #spread: number;
  readonly #tables: RecordTable[] = [];
  /** The table, if there is only one. */
  readonly #only: RecordTable | undefined;
  #next = 0;

  constructor(limiter: Limiter, spread: number) {
    this.limiter = limiter;
    this.#spread = spread;
    for (let i = 0; i < spread; i++) this.#tables.push(new RecordTable(limiter));
    this.#only = spread === 1 ? this.#tables[0] : undefined;
  }

  /** The table of a key. */
  table(key: string): RecordTable {
    return this.#only ?? this.#tables[spreadOf(key) & (this.#spread - 1)]!;
  }

  /** Gives the record that was just written for an unknown key a place of its own. */
  add(table: RecordTable, key: string): void {
    table.add(key);
    this.size++;
  }

  /** Removes the key in a slot, if there is one; answers with how many that are. */
  remove(table: RecordTable, slot: number): number {
    if (slot === UNKNOWN) return 0;
    table.remove(slot);
    this.size--;
    return 1;
  }

  /** Removes the key whose turn it is if its record says no more than none; answers with how many that are. */
  sweep(now: number): number {
    const table = this.#turn();
    return this.remove(table, table.expired(now));
  }

  /** Removes a key that it matters little to forget; answers with how many that are. */
  forget(now: number): number {
    let table = this.#turn();
    for (let i = Math.min(CANDIDATES, this.#spread); i > 1; i--) {
      const other = this.#turn();
      if (other.size > table.size) table = other;
    }
    return this.remove(table, table.leastUsed(now));
  }

  #turn(): RecordTable {
    this.#next = (this.#next + 1) & (this.#spread - 1);
    return this.#tables[this.#next]!;
  }
}

/** A number that differs for keys that differ in one of up to 16 characters, evenly spread over the key. */
function spreadOf(key: string): number {
  let hash = key.length;
  const step = 1 + (key.length >> 4);
  for (let i = key.length - 1; i >= 0; i -= step) hash = Math.imul(hash ^ key.charCodeAt(i), 0x9e3779b1);
  return hash ^ (hash >>> 15);
}
