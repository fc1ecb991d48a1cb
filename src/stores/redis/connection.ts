import type { Cluster, Redis, RedisOptions } from "ioredis";
import { complaint, printable } from "../../argument.js";
import { StoreError } from "../../errors.js";
import { type Breaker, OPEN } from "../breaker.js";
import { LATE, withDeadline } from "../deadline.js";
import { Unavailable } from "../failure-policy.js";
import { connect } from "./connect.js";
import { parseServerUrl } from "./server-url.js";

/** What the store needs of a client: a `Redis` or `Cluster` of ioredis 5 or 6 is one. */
export interface RedisClient {
  evalsha(sha: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(script: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

/** Calls under way at most: each holds about a kilobyte until its deadline, and a server that hangs would hold them all. */
const MOST_CALLS = 16_384;

/** Errors of a server that can't serve now; all others say that something is wrong with the call or the key. */
const SERVER_STATES =
  /\b(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|OOM|MISCONF|NOREPLICAS|BUSY|NOAUTH|WRONGPASS|NOPERM|max number of clients)\b/;

/** A client behind a deadline and a breaker: whatever state it is in, a call settles in time. */
export class Connection {
  readonly #client: RedisClient;
  /** The client if it is the store's own, to open and to close. */
  readonly #own: Redis | Cluster | undefined;
  readonly #deadlineMs: number;
  readonly #breaker: Breaker;
  #connected: Promise<void> | undefined;
  /** What the client last complained about; a call that is late does not know why. */
  #complaint = "";
  #calls = 0;
  #idle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  /** @throws TypeError for anything but a URL or a client; it never shows a password. */
  constructor(server: unknown, deadlineMs: number, breaker: Breaker, redisOptions: RedisOptions = {}) {
    this.#deadlineMs = deadlineMs;
    this.#breaker = breaker;
    if (typeof server === "string") {
      this.#own = connect(parseServerUrl(server), deadlineMs, redisOptions);
      this.#own.on("error", (error: Error) => {
        this.#complaint = error.message;
      });
      this.#client = this.#own;
    } else this.#client = clientOf(server);
  }

  /** What `call` answers. Rejects with a StoreError: `Unavailable` unless the server refused this very call. */
  async run<T>(operation: string, call: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw new Unavailable("redis", operation, "it is closed");
    if (this.#calls >= MOST_CALLS) {
      throw new Unavailable("redis", operation, `${MOST_CALLS} calls are under way already`);
    }
    this.#calls++;
    try {
      const inTime = () => withDeadline(this.#deadlineMs, async () => call(await this.#ready()));
      return await this.#breaker.run(inTime, isUnavailable);
    } catch (error) {
      throw this.#storeError(operation, error);
    } finally {
      this.#calls--;
      if (this.#calls === 0) this.#idle?.();
    }
  }

  /** Waits for the calls under way, which end in time, and closes the client if it is the store's own. */
  close(): Promise<void> {
    this.#closed ??= new Promise<void>((resolve) => {
      this.#idle = resolve;
      if (this.#calls === 0) resolve();
    }).then(() => this.#own?.disconnect());
    return this.#closed;
  }

  /** The client once it is connected: its own queue would carry commands out long after they were given up. */
  async #ready(): Promise<RedisClient> {
    const own = this.#own;
    if (own === undefined || own.status === "ready") return this.#client;
    if (own.status === "wait") own.connect().catch(() => {});
    this.#connected ??= new Promise((resolve) => {
      own.once("ready", () => {
        this.#connected = undefined;
        resolve();
      });
    });
    await this.#connected;
    return this.#client;
  }

  #storeError(operation: string, error: unknown): StoreError {
    if (isReply(error)) {
      const Kind = isUnavailable(error) ? Unavailable : StoreError;
      // Only the message: errors of ioredis carry the command, and with it keys.
      return new Kind("redis", operation, printable(error.message, 200));
    }
    if (error === OPEN)
      return this.#unavailable(operation, "it is left alone after several failures in a row");
    if (error === LATE) return this.#unavailable(operation, `no answer within ${this.#deadlineMs} ms`);
    return this.#unavailable(operation, "the connection was lost");
  }

  #unavailable(operation: string, problem: string): StoreError {
    const ready = this.#own === undefined || this.#own.status === "ready";
    const why = ready || this.#complaint === "" ? "" : ` (${printable(this.#complaint, 200)})`;
    return new Unavailable("redis", operation, problem + why);
  }
}

function clientOf(server: unknown): RedisClient {
  const client = server as Partial<RedisClient> | null | undefined;
  if (["evalsha", "eval", "del"].every((name) => typeof client?.[name as keyof RedisClient] === "function")) {
    return client as RedisClient;
  }
  throw new TypeError(complaint("server", "a URL or an ioredis client", server));
}

function isUnavailable(error: unknown): boolean {
  return !isReply(error) || SERVER_STATES.test(error.message);
}

/** Whether the server itself answered with an error. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}
