import { Redis } from "ioredis";
import type { AlgorithmType } from "../../algorithms/algorithm.js";
import type { Booking, Decision, Limiter } from "../../algorithms/limiter.js";
import { complaint, knownOptions, printable } from "../../argument.js";
import type { Clock } from "../../clock.js";
import { StoreError } from "../../errors.js";
import type { Store } from "../store.js";
import { type Script, scriptOf } from "./scripts.js";
import { parseServerUrl } from "./server-url.js";

/** What the store needs of a client: a `Redis` or `Cluster` of ioredis 5 or 6 is one. */
export interface RedisClient {
  evalsha(sha: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(script: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

/** Options of a `RedisStore`. */
export interface RedisStoreOptions {
  /** What the key of each record begins with; `"throttled"` by default. */
  readonly prefix?: string;
  /** Replaces the clock of the server, for tests. */
  readonly clock?: Clock;
  /** Options handed to ioredis when the store makes the client. */
  readonly redisOptions?: object;
}

const OPTIONS = ["prefix", "clock", "redisOptions"];

/** Keeps keys on a Redis or Valkey server, which all processes share: one key and one script call for each decision. */
export class RedisStore implements Store, AsyncDisposable {
  readonly name = "redis";
  readonly sync = false;
  readonly clock?: Clock;
  readonly #prefix: string;
  readonly #client: RedisClient;
  /** The client if it is the store's own to close. */
  readonly #own: Redis | undefined;
  readonly #scripts = new Map<AlgorithmType, Script>();

  /**
   * @param server a URL such as `"redis://localhost:6379"`, or a client of yours, which the store never closes.
   * @throws TypeError for anything else; it never shows a password.
   */
  constructor(server: string | RedisClient, options: RedisStoreOptions = {}) {
    knownOptions("options", options, OPTIONS);
    const { prefix = "throttled", clock, redisOptions = {} } = options;
    if (typeof prefix !== "string") throw new TypeError(complaint("prefix", "a string", prefix));
    if (clock !== undefined) this.clock = clock;
    this.#prefix = prefix;
    this.#own = typeof server === "string" ? connect(server, redisOptions) : undefined;
    this.#client = this.#own ?? clientOf(server);
  }

  async decide(
    limiter: Limiter,
    key: string,
    cost: number,
    maxWaitMs: number,
    booking?: Booking,
  ): Promise<Decision> {
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
    try {
      return decisionOf(limiter, await this.#call(script, args));
    } catch (error) {
      throw storeError("decide", error);
    }
  }

  async reset(limiter: Limiter, key: string): Promise<void> {
    try {
      await this.#client.del(this.#key(limiter, key));
    } catch (error) {
      throw storeError("reset", error);
    }
  }

  /** Closes the connection if the store made it. */
  async close(): Promise<void> {
    this.#own?.disconnect();
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

  async #call({ sha, source }: Script, args: readonly string[]): Promise<unknown> {
    try {
      return await this.#client.evalsha(sha, 1, ...args);
    } catch (error) {
      if (!String((error as Error)?.message).includes("NOSCRIPT")) throw error;
      return await this.#client.eval(source, 1, ...args);
    }
  }
}

function connect(url: string, redisOptions: object): Redis {
  const client = new Redis({ ...parseServerUrl(url), maxRetriesPerRequest: 1, ...redisOptions });
  // Every failed call says so itself; without a listener ioredis prints each lost connection.
  client.on("error", () => {});
  return client;
}

function clientOf(server: unknown): RedisClient {
  const client = server as Partial<RedisClient> | null | undefined;
  if (
    typeof client?.evalsha === "function" &&
    typeof client.eval === "function" &&
    typeof client.del === "function"
  ) {
    return client as RedisClient;
  }
  throw new TypeError(complaint("server", "a URL or an ioredis client", server));
}

function decisionOf(limiter: Limiter, reply: unknown): Decision {
  const [answer, waitMs, before, after] = Array.isArray(reply) ? reply : [reply];
  const [limited, quotaIndex = 0, remaining = 0, resetAfterMs = 0, retryAfterMs = 0] = String(answer)
    .split(" ")
    .map(Number);
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

/** What went wrong without what was sent: errors of ioredis carry commands, and with them keys and passwords. */
function storeError(operation: string, error: unknown): StoreError {
  const message = error instanceof Error ? error.message : String(error);
  return new StoreError("redis", operation, printable(message, 200));
}
