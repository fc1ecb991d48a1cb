import type { Limiter } from "../algorithms/limiter.js";
import { RecordTable, UNKNOWN } from "./record-table.js";

/** How many tables are compared to find a large one. */
const CANDIDATES = 3;

/** Keys for which one table is enough: to look for a key in several costs more, but a map of many keys takes long to grow. */
const ONE_TABLE = 16_384;

/** How many keys move over to other tables with each one that comes. */
const MOVED_AT_ONCE = 8;

/** All keys of one limiter, in one table or spread over several, so that no call waits for long until the map of one has grown. */
export class Keyspace {
  readonly limiter: Limiter;
  /** How many keys it holds. */
  size = 0;
  /** A power of two, less one. */
  readonly #mask: number;
  /** The table, as long as there is only one. */
  #only: RecordTable | undefined;
  /** The one that was, while its keys move over to others. */
  #leaving: RecordTable | undefined;
  /** By what their keys have in common; each is made for the first of its keys. */
  readonly #tables: RecordTable[] = [];
  /** All of them without gaps, for those to go round who look for a key. */
  readonly #round: RecordTable[];
  #turn = 0;

  /** @param spread over how many tables at most, a power of two. */
  constructor(limiter: Limiter, spread: number) {
    this.limiter = limiter;
    this.#mask = spread - 1;
    this.#only = new RecordTable(limiter);
    this.#round = [this.#only];
  }

  /** The table of a key. */
  table(key: string): RecordTable {
    return this.#only ?? this.#tableOf(key);
  }

  /** Gives the record that was just written for an unknown key a place of its own. */
  add(table: RecordTable, key: string): void {
    table.add(key);
    this.size++;
    if (this.#leaving !== undefined) this.#move(this.#leaving);
    else if (this.#only !== undefined && this.size === ONE_TABLE && this.#mask > 0) {
      this.#leaving = this.#only;
      this.#only = undefined;
    }
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

  #tableOf(key: string): RecordTable {
    const leaving = this.#leaving;
    return leaving !== undefined && leaving.slotOf(key) !== UNKNOWN ? leaving : this.#spread(key);
  }

  /** Where a key belongs once there are several tables. */
  #spread(key: string): RecordTable {
    const i = spreadOf(key) & this.#mask;
    return this.#tables[i] ?? this.#create(i);
  }

  /** Moves some keys to where they belong. */
  #move(leaving: RecordTable): void {
    for (let more = Math.min(MOVED_AT_ONCE, leaving.size); more > 0; more--) {
      leaving.handOver((key) => this.#spread(key));
    }
    if (leaving.size > 0) return;
    this.#leaving = undefined;
    this.#round.splice(this.#round.indexOf(leaving), 1);
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
