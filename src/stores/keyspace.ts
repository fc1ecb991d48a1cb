import type { Limiter } from "../algorithms/limiter.js";
import { RecordTable, UNKNOWN } from "./record-table.js";

/** How many tables are compared to find a large one. */
const CANDIDATES = 3;

/** All keys of one limiter, in one table or spread over several: a call waits until the map behind its table has grown. */
export class Keyspace {
  readonly limiter: Limiter;
  /** How many keys it holds. */
  size = 0;
  /** A power of two, less one. */
  readonly #mask: number;
  /** By what its keys have in common; made for the first of them, as most limiters have few keys. */
  readonly #tables: (RecordTable | undefined)[];
  /** The same without gaps, for those to go round who look for a key. */
  readonly #round: RecordTable[] = [];
  /** The table, if there can be only one. */
  readonly #only: RecordTable | undefined;
  #turn = 0;

  /** @param spread over how many tables at most, a power of two. */
  constructor(limiter: Limiter, spread: number) {
    this.limiter = limiter;
    this.#mask = spread - 1;
    this.#tables = new Array<undefined>(spread).fill(undefined);
    this.#only = spread === 1 ? this.#create(0) : undefined;
  }

  /** The table of a key. */
  table(key: string): RecordTable {
    return this.#only ?? this.#tableOf(spreadOf(key) & this.#mask);
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
    if (this.size === 0) return 0;
    const table = this.#next();
    return this.remove(table, table.expired(now));
  }

  /** Removes a key that it matters little to forget; answers with how many that are, 0 if there is none. */
  forget(now: number): number {
    if (this.size === 0) return 0;
    let table = this.#next();
    for (let i = Math.min(CANDIDATES, this.#round.length); i > 1 || table.size === 0; i--) {
      const other = this.#next();
      if (other.size > table.size) table = other;
    }
    return this.remove(table, table.leastUsed(now));
  }

  #tableOf(i: number): RecordTable {
    return this.#tables[i] ?? this.#create(i);
  }

  #create(i: number): RecordTable {
    const table = new RecordTable(this.limiter);
    this.#tables[i] = table;
    this.#round.push(table);
    return table;
  }

  #next(): RecordTable {
    this.#turn = this.#turn + 1 < this.#round.length ? this.#turn + 1 : 0;
    return this.#round[this.#turn]!;
  }
}

/** A number that differs for keys that differ in one of up to 32 characters, evenly spread over the key. */
function spreadOf(key: string): number {
  let hash = key.length;
  const step = 1 + (key.length >> 5);
  for (let i = key.length - 1; i >= 0; i -= step) hash = Math.imul(hash ^ key.charCodeAt(i), 0x9e3779b1);
  return hash ^ (hash >>> 15);
}
