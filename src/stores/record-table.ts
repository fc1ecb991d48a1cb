import type { Booking, Decision, Limiter } from "../algorithms/limiter.js";

/** The slot of every key that is not in a table. */
export const UNKNOWN = 0;

/** Slots of a new table. */
const FIRST_SLOTS = 8;

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
  isNews = false;
  readonly #slots = new Map<string, number>();
  /** The key in each slot. */
  #keys = new Array<string>(FIRST_SLOTS);
  /** The record in each slot. That of slot 0 is all 0, as of a key that was never used, between two calls. */
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

  /** Decides about a key. If it `isNews`, it has to be added or discarded before the next call. */
  decide(key: string, now: number, cost: number, maxWaitMs: number, booking: Booking | undefined): Decision {
    const slot = this.#slots.get(key) ?? UNKNOWN;
    const { limiter } = this;
    const decision = limiter.decideAt(this.#records, slot * limiter.size, now, cost, maxWaitMs, booking);
    if (slot === UNKNOWN) this.isNews = true;
    else this.#marks[slot] = decision.limited ? REFUSED : SEEN_AGAIN;
    return decision;
  }

  /** Whether the record in a slot still says more than none. */
  isUsed(slot: number, now: number): boolean {
    return this.limiter.ttlMs(this.#records, slot * this.limiter.size, now) > 0;
  }

  /** Gives the record that was just written for an unknown key a slot of its own. */
  add(key: string): void {
    this.isNews = false;
    const slot = this.size + 1;
    if (slot === this.#keys.length) this.#grow();
    this.#keys[slot] = key;
    this.#slots.set(key, slot);
    this.#marks[slot] = 0;
    this.#move(UNKNOWN, slot);
    this.#clear(UNKNOWN);
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

  /** Forgets what was written for an unknown key. */
  discard(): void {
    this.isNews = false;
    this.#clear(UNKNOWN);
  }

  /** The slot of the next key in turn if its record says no more than none, or `UNKNOWN`. */
  expired(now: number): number {
    this.#swept = this.#swept < this.size ? this.#swept + 1 : Math.min(1, this.size);
    return this.isUsed(this.#swept, now) ? UNKNOWN : this.#swept;
  }

  /**
   * The slot of the one of the next few keys that it matters least to forget: that has most left; of those, one that was not
   * seen again, and of those the youngest, so that a flood of new keys pushes out itself.
   */
  leastUsed(now: number): number {
    this.#weighed = this.#weighed < this.size ? this.#weighed + 1 : 1;
    let slot = this.#weighed;
    let least = slot;
    let most = this.#left(slot, now);
    for (let i = Math.min(CANDIDATES, this.size); i > 1; i--) {
      slot = slot < this.size ? slot + 1 : 1;
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

  #clear(slot: number): void {
    this.#records.fill(0, slot * this.limiter.size, (slot + 1) * this.limiter.size);
  }

  /** Doubles it, and not by parts as arrays do of their own: a key would take half as much again. */
  #grow(): void {
    const keys = new Array<string>(2 * this.#keys.length);
    for (let i = 1; i < this.#keys.length; i++) keys[i] = this.#keys[i]!;
    this.#keys = keys;
    const records = new Float64Array(2 * this.#records.length);
    const marks = new Uint8Array(2 * this.#marks.length);
    records.set(this.#records);
    marks.set(this.#marks);
    this.#records = records;
    this.#marks = marks;
  }
}
