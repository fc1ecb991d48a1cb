import type { Booking, Decision, KeyState, Limiter } from "../../algorithms/limiter.js";

/** Calls on one record that travel together at most: the server does nothing else meanwhile. */
const MOST_CALLS = 1_024;

/** A call that waits for its answer. */
export interface Call {
  readonly cost: number;
  readonly maxWaitMs: number;
  readonly booking: Booking | undefined;
  readonly resolve: (decision: Decision) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls on one record, in their order: what the script is told about them, and what its answer means to each. */
export class KeyCalls {
  readonly limiter: Limiter;
  /** Where the record is. */
  readonly redisKey: string;
  /** Whether the last of the calls was refused. */
  refused = false;
  readonly #calls: Call[] = [];

  constructor(limiter: Limiter, redisKey: string) {
    this.limiter = limiter;
    this.redisKey = redisKey;
  }

  get size(): number {
    return this.#calls.length;
  }

  get isFull(): boolean {
    return this.#calls.length >= MOST_CALLS;
  }

  /** Whether something was given back, which a refusal from before knows nothing of. */
  get givesBack(): boolean {
    return this.#calls.some(({ cost }) => cost < 0);
  }

  add(call: Call): void {
    this.#calls.push(call);
  }

  /** The calls as limiter.lua reads them, those that are alike as one. */
  program(limiterIndex: number): string {
    let text = `${limiterIndex}`;
    for (let i = 0; i < this.#calls.length; ) {
      const { cost, maxWaitMs, booking } = this.#calls[i]!;
      let times = 1;
      if (booking === undefined) while (isAlike(this.#calls[i]!, this.#calls[i + times])) times++;
      i += times;
      if (booking === undefined) text += ` ${times} ${cost} ${waitOf(cost, maxWaitMs)}`;
      else text += ` 1 ${cost} 1 ${numbersOf(booking.before)} ${numbersOf(booking.after)}`;
    }
    return text;
  }

  /**
   * Comes from the record that the script found, and the moment when it did, to the decisions that the script came to.
   * Answers with the record as the calls left it, or with nothing if what was found is no record.
   */
  settle(now: number, found: unknown): Float64Array | undefined {
    const record = recordOf(this.limiter, found);
    if (record === undefined) return undefined;
    for (const { cost, maxWaitMs, booking, resolve } of this.#calls) {
      const decision = this.limiter.decideAt(record, 0, now, cost, maxWaitMs, booking);
      this.refused = decision.limited;
      resolve(decision);
    }
    return record;
  }

  fail(error: unknown): void {
    for (const { reject } of this.#calls) reject(error);
  }
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

/** The record in an answer: nothing but the script's own word lets a call pass. */
function recordOf({ size }: Limiter, found: unknown): Float64Array | undefined {
  const record = new Float64Array(size);
  if (found === null) return record;
  const numbers = typeof found === "string" && /^\d+(?: \d+)*$/.test(found) ? found.split(" ") : [];
  if (numbers.length !== size) return undefined;
  for (let i = 0; i < size; i++) record[i] = Number(numbers[i]);
  return record.every(Number.isSafeInteger) ? record : undefined;
}
