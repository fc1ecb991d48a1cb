import type { Limiter } from "../../algorithms/limiter.js";
import { StoreError } from "../../errors.js";
import type { Answer } from "../store.js";
import type { Connection } from "./connection.js";
import { type Call, type Commons, KeyCalls } from "./key-calls.js";
import { keySlot } from "./key-slot.js";
import { Apart, Load, problemOf } from "./load.js";

/**
 * Keys of one script call at most: the server does nothing else meanwhile. Fewer would let it work while this process prepares
 * the next ones, but every script call costs both of them something of its own: 32 are as fast, 16 slower by a tenth, 8 by a
 * third.
 */
const MOST_KEYS = 64;

/** Calls of one script call from which on the others go into the next: all of one are refused if there are too many under way. */
const MANY_CALLS = 4_096;

export interface BatchOptions {
  /** The time for the script, or nothing for that of the server. */
  readonly now: () => number | undefined;
  /** Hears of each record after its last call. */
  readonly onSettled: (calls: KeyCalls, record: Float64Array, now: number) => void;
  /** The answer to a call in place of the server's, or a rejection. */
  readonly onFailure: (error: unknown, limiter: Limiter, call: Call) => Promise<Answer>;
}

/** Collects calls, and sends them as few calls of the script: those on the same key as one, on a cluster those in the same slot. */
export class Batch {
  readonly #connection: Connection;
  readonly #options: BatchOptions;
  /** By the id of the limiter, and then by key, the calls that another one joins: limiters of equal id share their keys. */
  readonly #newest = new Map<string, Map<string, KeyCalls>>();
  /** Where one key at a time is worked out. */
  #record = new Float64Array(8);
  #waiting: KeyCalls[] = [];

  constructor(connection: Connection, options: BatchOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(commons: Commons, call: Call): void {
    const { id } = commons.limiter;
    let newest = this.#newest.get(id);
    if (newest === undefined) {
      newest = new Map();
      this.#newest.set(id, newest);
      if (this.#record.length < commons.limiter.size) this.#record = new Float64Array(commons.limiter.size);
    }
    let calls = newest.get(call.key);
    if (calls !== undefined && !calls.isFull) {
      calls.add(call);
      return;
    }
    calls = new KeyCalls(commons, call);
    newest.set(call.key, calls);
    this.#waiting.push(calls);
  }

  /** Sends what has been collected. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#newest.clear();
    if (waiting.length === 1) {
      void this.#send(new Load(waiting[0]!));
      return;
    }
    const loads = new Map<unknown, Load>();
    for (const calls of waiting) {
      const place = this.#placeOf(calls);
      const load = loads.get(place);
      if (load !== undefined && load.keys.length < MOST_KEYS && load.size < MANY_CALLS) load.add(calls);
      else {
        if (load !== undefined) void this.#send(load);
        loads.set(place, new Load(calls));
      }
    }
    for (const load of loads.values()) void this.#send(load);
  }

  /** What keys have in common that can travel together. */
  #placeOf({ redisKey, commons: { script } }: KeyCalls): unknown {
    const { isCluster, keyPrefix } = this.#connection;
    return isCluster ? `${keySlot(keyPrefix + redisKey)}:${script.sha}` : script;
  }

  async #send(load: Load): Promise<void> {
    const { keys, size } = load;
    try {
      const now = this.#options.now();
      const reply = await this.#connection.run("decide", size, (client, deadline) =>
        load.send(client, deadline, now),
      );
      if (reply instanceof Apart) this.#settleApart(keys, reply.ends);
      else this.#settle(keys, reply);
    } catch (error) {
      for (const calls of keys) this.#fail(calls, error);
    }
  }

  #fail(calls: KeyCalls, error: unknown): void {
    calls.fail((limiter, call) => this.#options.onFailure(error, limiter, call));
  }

  #settleApart(keys: readonly KeyCalls[], ends: readonly PromiseSettledResult<readonly string[]>[]): void {
    for (const [i, end] of ends.entries()) {
      if (end.status === "fulfilled") this.#settle([keys[i]!], end.value);
      else this.#fail(keys[i]!, this.#connection.errorOf("decide", end.reason));
    }
  }

  #settle(keys: readonly KeyCalls[], answers: readonly string[]): void {
    const now = answers.length === 1 + keys.length ? momentOf(answers[0]!) : Number.NaN;
    for (let i = 0; i < keys.length; i++) {
      const calls = keys[i]!;
      const answer = answers[1 + i] ?? "";
      const problem = problemOf(answer);
      if (problem !== undefined) this.#fail(calls, this.#connection.errorOf("decide", problem));
      else if (Number.isSafeInteger(now) && calls.settle(now, answer, this.#record)) {
        this.#options.onSettled(calls, this.#record, now);
      }
      // Nothing but the script's own word lets a call pass.
      else
        this.#fail(
          calls,
          new StoreError("redis", "decide", "the answer is not that of its script", "refused"),
        );
    }
  }
}

function momentOf(line: string): number {
  return /^-?\d+$/.test(line) ? Number(line) : Number.NaN;
}
