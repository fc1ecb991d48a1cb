import type { AlgorithmType } from "../../algorithms/algorithm.js";
import type { Booking, Decision, Limiter } from "../../algorithms/limiter.js";
import { complaint, knownOptions } from "../../argument.js";
import { type Clock, checkClock } from "../../clock.js";
import { type Duration, toMs } from "../../duration.js";
import { StoreError } from "../../errors.js";
import { Breaker, type BreakerOptions } from "../breaker.js";
import { type Deadline, LONGEST_DEADLINE_MS } from "../deadline.js";
import { FailurePolicy, type OnUnavailable } from "../failure-policy.js";
import type { Answer, Store } from "../store.js";
import { Connection, type RedisClient } from "./connection.js";
import { type Script, scriptOf } from "./scripts.js";

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
  /** Replaces the clock of the server, for tests. */
  readonly clock?: Clock;
  /** Options handed to ioredis when the store makes the client. */
  readonly redisOptions?: object;
}

const OPTIONS = ["prefix", "deadline", "onUnavailable", "breaker", "clock", "redisOptions"];

/** Keeps keys on a Redis or Valkey server, which all processes share: one key and one script call for each decision. */
export class RedisStore implements Store, AsyncDisposable {
  readonly name = "redis";
  readonly sync = false;
  readonly clock?: Clock;
  readonly #prefix: string;
  readonly #connection: Connection;
  readonly #policy: FailurePolicy;
  readonly #scripts = new Map<AlgorithmType, Script>();

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
    const { redisOptions } = options;
    if (redisOptions !== undefined && (typeof redisOptions !== "object" || redisOptions === null)) {
      throw new TypeError(complaint("redisOptions", "an object", redisOptions));
    }
    this.#connection = new Connection(
      server,
      deadlineOf(deadline),
      new Breaker(options.breaker),
      redisOptions,
    );
  }

  async decide(
    limiter: Limiter,
    key: string,
    cost: number,
    maxWaitMs: number,
    booking?: Booking,
  ): Promise<Answer> {
    const script = this.#script(limiter.algorithm);
    const args = [
      this.#key(limiter, key),
      String(cost),
      maxWaitMs === Number.POSITIVE_INFINITY ? "-1" : String(maxWaitMs),
      this.clock === undefined ? "" : String(this.clock.now()),
      booking === undefined ? "" : (booking.before as string),
      booking === undefined ? "" : (booking.after as string),
      ...limiter.quotas.flatMap(({ limit, periodMs, burst }) => [`${limit}`, `${periodMs}`, `${burst}`]),
    ];
    return this.#policy.decide(limiter, key, cost, maxWaitMs, booking, async () =>
      decisionOf(
        limiter,
        await this.#connection.run("decide", (client, deadline) => call(client, deadline, script, args)),
      ),
    );
  }

  async reset(limiter: Limiter, key: string): Promise<void> {
    await this.#policy.reset(limiter, key, () =>
      this.#connection.run("reset", (client) => client.del(this.#key(limiter, key))),
    );
  }

  /** Lets the calls under way finish, and closes the connection if the store made it. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #script(algorithm: AlgorithmType): Script {
    let script = this.#scripts.get(algorithm);
    if (script === undefined) {
      script = scriptOf(algorithm);
      this.#scripts.set(algorithm, script);
    }
    return script;
  }

  /** Braces are encoded, so that no key of a user's can choose its slot in a cluster. */
  #key(limiter: Limiter, key: string): string {
    return `${this.#prefix}:${limiter.id}:${key.replace(/[%{}]/g, encodeURIComponent)}`;
  }
}

function deadlineOf(deadline: Duration): number {
  const ms = toMs("deadline", deadline);
  if (ms > 0 && ms <= LONGEST_DEADLINE_MS) return ms;
  throw new RangeError(complaint("deadline", "a duration from 1 ms to 24 days", deadline));
}

async function call(
  client: RedisClient,
  deadline: Deadline,
  { sha, source }: Script,
  args: readonly string[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha, 1, ...args);
  } catch (error) {
    if (deadline.passed || !/^NOSCRIPT\b/.test(String((error as Error)?.message))) throw error;
    return await client.eval(source, 1, ...args);
  }
}

/** @throws StoreError for an answer that is not the script's: nothing but its own word lets a call pass. */
function decisionOf(limiter: Limiter, reply: unknown): Decision {
  const [answer, waitMs, before, after] = Array.isArray(reply) ? reply : [reply];
  const numbers = /^[01] \d+ \d+ \d+ (?:\d+|-1)$/.test(String(answer))
    ? String(answer).split(" ").map(Number)
    : [];
  const [limited, quotaIndex = -1, remaining = 0, resetAfterMs = 0, retryAfterMs = 0] = numbers;
  if (limiter.quotas[quotaIndex] === undefined || !numbers.every(Number.isSafeInteger)) {
    throw new StoreError("redis", "decide", "the answer is not that of its script");
  }
  const decision: Decision = {
    limited: limited === 1,
    quotaIndex,
    source: "store",
    limit: limiter.capacity(quotaIndex),
    remaining,
    resetAfterMs,
    retryAfterMs: retryAfterMs === -1 ? Number.POSITIVE_INFINITY : retryAfterMs,
  };
  return waitMs === undefined
    ? decision
    : { ...decision, booking: { waitMs: Number(waitMs), before, after } };
}
