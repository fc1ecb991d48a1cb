import type { Booking, Limiter } from "../../algorithms/limiter.js";
import { complaint, flag, knownOptions } from "../../argument.js";
import { type Clock, checkClock } from "../../clock.js";
import { type Duration, toMs } from "../../duration.js";
import type { SemaphoreRequest, SemaphoreRules } from "../../semaphore/state.js";
import { Breaker, type BreakerOptions } from "../breaker.js";
import { LONGEST_DEADLINE_MS } from "../deadline.js";
import type { Entries } from "../entries.js";
import { FailurePolicy, type OnUnavailable } from "../failure-policy.js";
import type { StoreStatus } from "../status.js";
import type { Answer, Arrangement, Store } from "../store.js";
import { Batch } from "./batch.js";
import { Connection, type RedisClient } from "./connection.js";
import { DenyCache } from "./deny-cache.js";
import { type Commons, redisKey } from "./key-calls.js";
import { scriptOf } from "./limiter-script.js";
import { RedisEntries } from "./redis-entries.js";
import { Semaphores } from "./semaphores.js";

/** Options of a `RedisStore`. */
export interface RedisStoreOptions {
  /** What the key of each record begins with; `"throttled"` by default. */
  readonly prefix?: string;
  /** How long the server may take to answer, `"250ms"` by default; no call to the store takes longer. */
  readonly deadline?: Duration;
  /** What a call gets while the server can't be reached: `"throw"` by default, a StoreError. */
  readonly onUnavailable?: OnUnavailable;
  /** When a server that fails is left alone for a while. */
  readonly breaker?: BreakerOptions;
  /** Whether all calls of one turn of the event loop travel together; `true` by default. */
  readonly batch?: boolean;
  /** How long refused keys are answered here, at most; by default they never are. */
  readonly denyCache?: Duration;
  /** Replaces the clock of the server, for tests. */
  readonly clock?: Clock;
  /** Options handed to ioredis when the store makes the client. */
  readonly redisOptions?: object;
}

const OPTIONS = [
  "prefix",
  "deadline",
  "onUnavailable",
  "breaker",
  "batch",
  "denyCache",
  "clock",
  "redisOptions",
];

/** Keeps keys on a Redis or Valkey server, which all processes share: one key for each decision, made by a script; calls of one moment travel together. */
export class RedisStore implements Store, AsyncDisposable {
  readonly name = "redis";
  readonly sync = false;
  readonly clock?: Clock;
  readonly #prefix: string;
  readonly #connection: Connection;
  readonly #policy: FailurePolicy;
  readonly #batch: Batch;
  readonly #batches: boolean;
  readonly #denied: DenyCache | undefined;
  readonly #semaphores: Semaphores;
  readonly #prepared = new WeakMap<Limiter, Commons>();

  /**
   * @param server a URL such as `"redis://localhost:6379"`, or a client of yours, which the store never closes.
   * @throws TypeError, RangeError for anything else; it never shows a password.
   */
  constructor(server: string | RedisClient, options: RedisStoreOptions = {}) {
    knownOptions("options", options, OPTIONS);
    const { prefix = "throttled", deadline = "250ms", onUnavailable = "throw", clock } = options;
    if (typeof prefix !== "string") throw new TypeError(complaint("prefix", "a string", prefix));
    if (clock !== undefined) this.clock = checkClock(clock);
    this.#prefix = prefix;
    this.#policy = new FailurePolicy(onUnavailable);
    this.#batches = flag("batch", options.batch) ?? true;
    const { redisOptions, denyCache } = options;
    if (denyCache !== undefined) this.#denied = new DenyCache(toMs("denyCache", denyCache), clock);
    if (redisOptions !== undefined && (typeof redisOptions !== "object" || redisOptions === null)) {
      throw new TypeError(complaint("redisOptions", "an object", redisOptions));
    }
    this.#connection = new Connection(
      server,
      deadlineOf(deadline),
      new Breaker(options.breaker),
      redisOptions,
    );
    this.#semaphores = new Semaphores(this.#connection, this.#policy, prefix, () => clock?.now());
    this.#batch = new Batch(this.#connection, {
      onFailure: (error, limiter, { key, cost, maxWaitMs, booking }) =>
        this.#policy.answer(error, limiter, key, cost, maxWaitMs, booking),
      now: () => clock?.now(),
      onSettled: (calls, record, now) => {
        if (!calls.refused) return;
        this.#denied?.remember(calls.commons.limiter, calls.key, record, now, calls.givenBack);
      },
    });
  }

  decide(limiter: Limiter, key: string, cost: number, maxWaitMs: number, booking?: Booking): Promise<Answer> {
    return new Promise((resolve) => {
      const commons = this.#prepare(limiter);
      if (booking !== undefined) checkBooking(booking, limiter);
      const denied = cost > 0 && maxWaitMs === 0 ? this.#denied?.refuse(limiter, key, cost) : undefined;
      if (denied !== undefined) {
        resolve(denied);
        return;
      }
      if (cost < 0) this.#denied?.forget(limiter, key);
      const givenBack = this.#denied?.givenBack ?? 0;
      if (this.#batch.isEmpty && this.#batches) process.nextTick(() => this.#batch.flush());
      this.#batch.add(commons, { key, cost, maxWaitMs, booking, givenBack, resolve });
      if (!this.#batches) this.#batch.flush();
    });
  }

  arrange(key: string, rules: SemaphoreRules, request?: SemaphoreRequest): Promise<Arrangement> {
    return this.#semaphores.arrange(key, rules, request);
  }

  async reset(limiter: Limiter, key: string): Promise<void> {
    const place = redisKey(this.#prepare(limiter), key);
    // Calls from before it come before it.
    this.#batch.flush();
    this.#denied?.forget(limiter, key);
    await this.#policy.reset(limiter, key, () =>
      this.#connection.run("reset", 1, (client) => client.del(place)),
    );
  }

  /** For `Storage`: keys of their own, which no limiter and no other name ever shares. */
  entries(name: string): Entries {
    return new RedisEntries(this.#connection, `${this.#prefix}:storage:${encodeURIComponent(name)}:`);
  }

  /**
   * Asks the server how many keys its database has, within the deadline. The counters are `calls` on the server and `failures`
   * among them, the `requests` in which they travelled, `breakerOpenings`, and the calls that were `refusedHere` by the deny cache.
   */
  async status(): Promise<StoreStatus> {
    const { counters, ...status } = await this.#connection.status();
    const refusedHere = this.#denied?.refused ?? 0;
    return { type: this.name, ...status, counters: { ...counters, refusedHere } };
  }

  /** Lets the calls under way finish, and closes the connection if the store made it. */
  async close(): Promise<void> {
    this.#batch.flush();
    this.#semaphores.close();
    await this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #prepare(limiter: Limiter): Commons {
    let prepared = this.#prepared.get(limiter);
    if (prepared === undefined) {
      const { id, algorithm, quotas } = limiter;
      const numbers = quotas.map(({ limit, periodMs, burst }) => `${limit} ${periodMs} ${burst}`);
      prepared = {
        limiter,
        script: scriptOf(algorithm),
        text: [algorithm.algorithmName, ...numbers].join(" "),
        prefix: `${this.#prefix}:${id}:`,
      };
      this.#prepared.set(limiter, prepared);
    }
    return prepared;
  }
}

/** A booking of another store would fail every call that travels with it. @throws TypeError */
function checkBooking(booking: Booking, { size }: Limiter): void {
  for (const record of [booking.before, booking.after]) {
    if (Array.isArray(record) && record.length === size && record.every(Number.isSafeInteger)) continue;
    throw new TypeError(complaint("booking", "a booking of this store", booking));
  }
}

function deadlineOf(deadline: Duration): number {
  const ms = toMs("deadline", deadline);
  if (ms > 0 && ms <= LONGEST_DEADLINE_MS) return ms;
  throw new RangeError(complaint("deadline", "a duration from 1 ms to 24 days", deadline));
}
