import type { Booking, KeyState, Limiter } from "../../algorithms/limiter.js";
import type { Answer } from "../store.js";
import type { Script } from "./script.js";

/** Calls on one record that travel together at most: the server does nothing else meanwhile. */
const MOST_CALLS = 1_024;

/** What the calls under one limiter have in common. */
export interface Commons {
  readonly limiter: Limiter;
  readonly script: Script;
  /** The limiter as limiter.lua reads it. */
  readonly text: string;
  /** What the keys of its records begin with. */
  readonly prefix: string;
}

/** A call that waits for its answer. */
export interface Call {
  readonly key: string;
  readonly cost: number;
  readonly maxWaitMs: number;
  readonly booking: Booking | undefined;
  /** How often this process had given something back before it. */
  readonly givenBack: number;
  readonly resolve: (answer: Answer | Promise<Answer>) => void;
}

/** Calls on one record, in their order: what the script is told about them, and what its answer means to each. */
export class KeyCalls {
  readonly commons: Commons;
  readonly key: string;
  /** Where the record is. */
  readonly redisKey: string;
  /** Whether the last of the calls was refused. */
  refused = false;
  readonly #calls: Call[];

  constructor(commons: Commons, first: Call) {
    this.commons = commons;
    this.key = first.key;
    this.redisKey = redisKey(commons, first.key);
    this.#calls = [first];
  }

  get size(): number {
    return this.#calls.length;
  }

  get isFull(): boolean {
    return this.#calls.length >= MOST_CALLS;
  }

  /** How often this process had given something back before the last of the calls. */
  get givenBack(): number {
    return this.#calls.at(-1)!.givenBack;
  }

  add(call: Call): void {
    this.#calls.push(call);
  }

  /** The calls as limiter.lua reads them, those that are alike as one; the call of every day is just its cost. */
  get text(): string {
    const { cost, maxWaitMs } = this.#calls[0]!;
    if (this.size === 1 && cost > 0 && maxWaitMs === 0) return String(cost);
    const programs: string[] = [];
    for (let i = 0; i < this.#calls.length; ) {
      const { cost, maxWaitMs, booking } = this.#calls[i]!;
      let times = 1;
      if (booking === undefined) while (isAlike(this.#calls[i]!, this.#calls[i + times])) times++;
      i += times;
      if (booking === undefined) programs.push(`${times} ${cost} ${waitOf(cost, maxWaitMs)}`);
      else programs.push(`1 ${cost} 1 ${numbersOf(booking.before)} ${numbersOf(booking.after)}`);
    }
    return programs.join(" ");
  }

  /**
   * Comes from the record that the script found, and the moment when it did, to the decisions that the script came to, and
   * leaves in `record` what became of it. Answers `false`, and does nothing, if what was found is no record.
   */
  settle(now: number, found: string, record: Float64Array): boolean {
    const { limiter } = this.commons;
    if (!read(found, record, limiter.size)) return false;
    for (const { cost, maxWaitMs, booking, resolve } of this.#calls) {
      const decision = limiter.decideAt(record, 0, now, cost, maxWaitMs, booking);
      // As the script does: a record that says no more than none is none.
      if (cost < 0 && limiter.ttlMs(record, 0, now) === 0) record.fill(0);
      this.refused = decision.limited;
      resolve(decision);
    }
    return true;
  }

  /** Settles every call with what `answer` says in place of the server. */
  fail(answer: (limiter: Limiter, call: Call) => Promise<Answer>): void {
    for (const call of this.#calls) call.resolve(answer(this.commons.limiter, call));
  }
}

/** Where the record of a key is. Braces are encoded, so that no key of a user's can choose its slot in a cluster. */
export function redisKey({ prefix }: Commons, key: string): string {
  return prefix + encoded(key);
}

/** A key without braces, and no other key without them. */
export function encoded(key: string): string {
  return /[%{}]/.test(key) ? key.replace(/[%{}]/g, encodeURIComponent) : key;
}

function isAlike(one: Call, other: Call | undefined): boolean {
  return other?.booking === undefined && one.cost === other?.cost && one.maxWaitMs === other.maxWaitMs;
}

/** Only calls that cost something wait; `Infinity` charges in any case. */
function waitOf(cost: number, maxWaitMs: number): number {
  if (maxWaitMs === Number.POSITIVE_INFINITY) return -1;
  return cost < 0 ? 0 : maxWaitMs;
}

function numbersOf(record: unknown): string {
  return (record as KeyState).join(" ");
}

/** Reads the record in an answer: whole numbers with spaces between, as many as there have to be, or nothing. */
function read(found: string, record: Float64Array, size: number): boolean {
  if (found === "") {
    record.fill(0);
    return true;
  }
  let next = 0;
  for (let i = 0; i < size; i++) {
    const end = i === size - 1 ? found.length : found.indexOf(" ", next);
    record[i] = wholeNumberAt(found, next, end);
    if (Number.isNaN(record[i])) return false;
    next = end + 1;
  }
  return true;
}

/** The digits from `start` to `end` as a number below 2^53, or NaN. */
function wholeNumberAt(text: string, start: number, end: number): number {
  if (end <= start) return Number.NaN;
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    number = number * 10 + digit;
  }
  return number <= Number.MAX_SAFE_INTEGER ? number : Number.NaN;
}
