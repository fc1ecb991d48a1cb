import type { Booking, Decision, Limiter } from "../algorithms/limiter.js";

/** The slot of every key that is not in a table. */
export const UNKNOWN = 0;

/** Slots of a new table: so many keys and the unknown one, as tables are mostly bounded by a power of two. */
const FIRST_SLOTS = 8 + 1;

/** How many keys are weighed when one must be forgotten. */
const CANDIDATES = 8;

/** What happened to a key since it came in: of two that have as much left, the one with the higher mark stays. */
const SEEN_AGAIN = 1;
const REFUSED = 2;

/**
 * The records of one limiter's keys, side by side in one array: a key costs a place in a map and its numbers, and the garbage
 * collector has no objects to visit. Slots are taken from 1 on without gaps.
 */
export class RecordTable {
  readonly limiter: Limiter;
  /** Whether the last decision was about a key that is not in the table. */
  isUnknown = false;
  readonly #slots = new Map<string, number>();
  /** The key in each slot. */
  #keys = new Array<string>(FIRST_SLOTS);
  /** The record in each slot; in slot 0 what was last written for an unknown key. */
  #records: Float64Array;
  #marks = new Uint8Array(FIRST_SLOTS);
  /** Whose turn it was last, to be looked at by `expired` and by `leastUsed`. */
  #swept = 0;
  #weighed = 0;

  constructor(limiter: Limiter) {
    this.limiter = limiter;
    this.#records = new Float64Array(FIRST_SLOTS * limiter.size);
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#slots.size;
  }

  /** The slot of a key, or `UNKNOWN`. */
  slotOf(key: string): number {
    return this.#slots.get(key) ?? UNKNOWN;
  }

  /** Decides about a key, which has to be added before the next call if it `isUnknown` and `isUsed`. */
  decide(key: string, now: number, cost: number, maxWaitMs: number, booking: Booking | undefined): Decision {
    const slot = this.#slots.get(key) ?? UNKNOWN;
    const { limiter } = this;
    this.isUnknown = slot === UNKNOWN;
    // Here and not after a call, as one that throws must leave nothing behind for the next new key.
    if (this.isUnknown) this.#records.fill(0, 0, limiter.size);
    const decision = limiter.decideAt(this.#records, slot * limiter.size, now, cost, maxWaitMs, booking);
    // To ask leaves no trace: a key that is limited stays marked as refused.
    if (cost !== 0) this.#marks[slot] = decision.limited ? REFUSED : SEEN_AGAIN;
    return decision;
  }

  /** Whether the record in a slot still says more than none. */
  isUsed(slot: number, now: number): boolean {
    return this.limiter.ttlMs(this.#records, slot * this.limiter.size, now) > 0;
  }

  /** Gives the record that was just written for an unknown key a slot of its own. */
  add(key: string): void {
    const slot = this.size + 1;
    if (slot === this.#keys.length) this.#grow();
    this.#keys[slot] = key;
    this.#slots.set(key, slot);
    this.#marks[slot] = 0;
    this.#move(UNKNOWN, slot);
  }

  remove(slot: number): void {
    if (slot === UNKNOWN) return;
    const last = this.size;
    const key = this.#keys[last]!;
    this.#slots.delete(this.#keys[slot]!);
    this.#keys[last] = "";
    if (slot === last) return;
    this.#keys[slot] = key;
    this.#slots.set(key, slot);
    this.#marks[slot] = this.#marks[last]!;
    this.#move(last, slot);
  }

  /** Moves the key in the last slot to another table, with all that is known of it. */
  handOver(tableOf: (key: string) => RecordTable): void {
    const slot = this.size;
    const key = this.#keys[slot]!;
    const table = tableOf(key);
    const { size } = this.limiter;
    table.#records.set(this.#records.subarray(slot * size, (slot + 1) * size));
    table.add(key);
    table.#marks[table.size] = this.#marks[slot]!;
    this.remove(slot);
  }

  /** The slot of the next key in turn if its record says no more than none, or `UNKNOWN`. */
  expired(now: number): number {
    this.#swept = this.#swept < this.size ? this.#swept + 1 : Math.min(1, this.size);
    return this.isUsed(this.#swept, now) ? UNKNOWN : this.#swept;
  }

  /**
   * The slot of the one of a few keys that it matters least to forget: that has the largest part of its quota left; of those,
   * one that was not seen again, and of those the youngest, so that a flood of new keys pushes out itself.
   */
  leastUsed(now: number): number {
    // Far apart, as those side by side came together, and each only once in a round: a key that comes amid a flood must not
    // be weighed again and again, or a few others would do to be rid of what it has used.
    const apart = Math.ceil(this.size / CANDIDATES);
    this.#weighed = this.#weighed < apart ? this.#weighed + 1 : 1;
    let least = this.#weighed;
    let most = this.#left(least, now);
    for (let slot = least + apart; slot <= this.size; slot += apart) {
      const left = this.#left(slot, now);
      if (left < most || (left === most && !this.#isLesser(slot, least))) continue;
      least = slot;
      most = left;
    }
    return least;
  }

  #isLesser(slot: number, other: number): boolean {
    const { size } = this.limiter;
    if (this.#marks[slot] !== this.#marks[other]) return this.#marks[slot]! < this.#marks[other]!;
    return this.#records[slot * size]! >= this.#records[other * size]!;
  }

  #left(slot: number, now: number): number {
    return this.limiter.left(this.#records, slot * this.limiter.size, now);
  }

  #move(from: number, to: number): void {
    const { size } = this.limiter;
    this.#records.copyWithin(to * size, from * size, (from + 1) * size);
  }

  /** Doubles it, and not by parts as arrays do of their own: a key would take half as much again. */
  #grow(): void {
    const slots = 2 * this.#keys.length - 1;
    const keys = new Array<string>(slots);
    for (let i = 1; i < this.#keys.length; i++) keys[i] = this.#keys[i]!;
    this.#keys = keys;
    const records = new Float64Array(slots * this.limiter.size);
    const marks = new Uint8Array(slots);
    records.set(this.#records);
    marks.set(this.#marks);
    this.#records = records;
    this.#marks = marks;
  }
}
