import type { Cluster, Redis } from "ioredis";
import { complaint, printable } from "../../argument.js";
import { StoreError, type StoreFailure } from "../../errors.js";
import { type Breaker, OPEN } from "../breaker.js";
import { type Deadline, LATE, withDeadline } from "../deadline.js";
import { outage } from "../failure-policy.js";
import type { StoreStatus } from "../status.js";
import { connect, type RedisOptions, whyUnreachable } from "./connect.js";
import { parseServerUrl } from "./server-url.js";

/** A server, as far as more than one key of it matters; every client of ioredis can do that. */
export interface RedisNode {
  dbsize(): Promise<unknown>;
  scan(
    cursor: string,
    match: "MATCH",
    pattern: string,
    count: "COUNT",
    step: number,
  ): Promise<[cursor: string, keys: string[]]>;
}

/** What the store needs of a client: a `Redis` or `Cluster` of ioredis 5 or 6 is one. */
export interface RedisClient {
  evalsha(sha: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(script: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>;
  del(key: string): Promise<unknown>;
  nodes?(role: "master"): readonly RedisNode[];
  readonly isCluster?: boolean;
  readonly options?: { readonly keyPrefix?: string | undefined };
}

/** A connection that hears messages. */
export interface Subscriber {
  readonly status: string;
  connect(): Promise<unknown>;
  disconnect(): void;
  subscribe(channel: string): Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: parameters are those of each event.
  on(event: string, listener: (...args: any[]) => void): unknown;
}

/** Calls under way at most: each holds about a kilobyte until its deadline, and a server that hangs would hold them all. */
const MOST_CALLS = 16_384;

/** Answers of a server that can't serve now; all others say that something is wrong with the call or the key. */
const SERVER_STATES =
  /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|OOM|MISCONF|NOREPLICAS|BUSY|NOAUTH|WRONGPASS|NOPERM|UNKILLABLE|ERR max number of clients)\b/;

/** What servers before Redis 7 put around the error of a command in a script. */
const IN_SCRIPT = /^ERR Error running script .*?: @user_script: ?\d+: -?/;

/** A client behind a deadline and a breaker: whatever state it is in, a call settles in time. */
export class Connection {
  readonly #client: RedisClient;
  /** Whether keys are spread over several servers by their slots. */
  readonly isCluster: boolean;
  /** What the client puts in front of each key. */
  readonly keyPrefix: string;
  /** The client if it is the store's own, to open and to close. */
  readonly #own: Redis | Cluster | undefined;
  readonly #deadlineMs: number;
  readonly #breaker: Breaker;
  /** Whether the store's own client is connected, to the right database. */
  #open = false;
  /** Calls that go on once the client is connected. */
  readonly #waiting = new Set<() => void>();
  readonly #secrets: readonly string[] = [];
  /** What the client last reported; a call that is late does not know why. */
  #lastError = "";
  #calls = 0;
  #asked = 0;
  #failed = 0;
  #requests = 0;
  #idle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  /** @throws TypeError for anything but a URL or a client; it never shows a password. */
  constructor(server: unknown, deadlineMs: number, breaker: Breaker, redisOptions: RedisOptions | undefined) {
    this.#deadlineMs = deadlineMs;
    this.#breaker = breaker;
    if (typeof server !== "string") {
      const client = clientOf(server);
      this.#client = client;
      this.isCluster = client.isCluster === true;
      this.keyPrefix = client.options?.keyPrefix ?? "";
      if (redisOptions === undefined) return;
      throw new TypeError("Expected `redisOptions` only beside a URL: a client has options of its own");
    }
    const place = parseServerUrl(server);
    const own = connect(place, deadlineMs, redisOptions ?? {});
    const secrets = [place.password, redisOptions?.password, redisOptions?.sentinelPassword];
    this.#secrets = secrets.filter((secret): secret is string => typeof secret === "string" && secret !== "");
    let why: Promise<string | undefined> | undefined;
    own.on("error", async ({ message, lastNodeError }: Error & { lastNodeError?: Error }) => {
      this.#lastError = lastNodeError?.message ?? message;
      if (!this.#lastError.endsWith("Connection is closed.")) return;
      why ??= whyUnreachable(place, redisOptions ?? {});
      this.#lastError = (await why) ?? this.#lastError;
    });
    own.on("ready", () => {
      why = undefined;
      this.#select(own, place.db ?? redisOptions?.db ?? 0);
    });
    own.on("close", () => {
      this.#open = false;
    });
    this.#own = own;
    this.#client = own;
    this.isCluster = own.isCluster;
    this.keyPrefix = redisOptions?.keyPrefix ?? "";
  }

  /**
   * What `call` answers, on which so many calls wait. Rejects with a StoreError: an outage, unless the server refused this
   * very call, or the caller asks too much of the store.
   */
  async run<T>(
    operation: string,
    calls: number,
    call: (client: RedisClient, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    if (this.#closed !== undefined) throw new StoreError("redis", operation, "it is closed", "closed");
    if (this.#calls + calls > MOST_CALLS) {
      throw new StoreError("redis", operation, `${MOST_CALLS} calls are under way already`, "overload");
    }
    this.#calls += calls;
    this.#asked += calls;
    try {
      return await this.#breaker.run(
        calls,
        () => {
          this.#requests++;
          return withDeadline(this.#deadlineMs, (deadline) => this.#whenReady(deadline, call));
        },
        isOutage,
      );
    } catch (error) {
      this.#failed += calls;
      // Callers that try again at once must not keep the event loop from the answer to the one that was let through.
      if (error === OPEN && this.#breaker.isTrying) await new Promise((resolve) => setImmediate(resolve));
      throw this.#storeError(operation, error);
    } finally {
      this.#calls -= calls;
      if (this.#calls === 0) this.#idle?.();
    }
  }

  /** Asks the server how many keys it has, which shows whether it answers. */
  async status(): Promise<Omit<StoreStatus, "type">> {
    let connected = true;
    const keys = await this.run("status", 1, (client) => keysOn(client)).catch(() => {
      connected = false;
      return undefined;
    });
    const counters = {
      calls: this.#asked,
      failures: this.#failed,
      requests: this.#requests,
      breakerOpenings: this.#breaker.openings,
    };
    return { keys, connected, breaker: this.#breaker.state, counters };
  }

  /** Another client like this one, to subscribe with, if the client can make one. It does not keep the process alive. */
  subscriber(): Subscriber | undefined {
    const client = (this.#own ?? this.#client) as { duplicate?(options?: object): Subscriber };
    // Subscribing again is up to the caller: ioredis would leave a failure of that unhandled.
    const subscriber = this.isCluster ? client.duplicate?.() : client.duplicate?.({ autoResubscribe: false });
    subscriber?.on("connect", () => {
      (subscriber as { stream?: { unref?(): void } }).stream?.unref?.();
    });
    return subscriber;
  }

  /** Waits for the calls under way, which end in time, and closes the client if it is the store's own. */
  close(): Promise<void> {
    this.#closed ??= new Promise<void>((resolve) => {
      this.#idle = resolve;
      if (this.#calls === 0) resolve();
    }).then(() => this.#disconnect());
    return this.#closed;
  }

  /** Lets calls go on in a database: ioredis goes on in the first one if the server has no such database. */
  async #select(own: Redis | Cluster, db: number): Promise<void> {
    try {
      if (db > 0) await own.select(db);
      this.#open = own.status === "ready";
      this.#lastError = "";
      for (const goOn of this.#waiting) goOn();
      this.#waiting.clear();
    } catch (error) {
      this.#lastError = (error as Error).message;
    }
  }

  #disconnect(): void {
    const own = this.#own;
    if (own === undefined) return;
    // A socket that is closed in the middle of a TLS handshake may fail twice, and ioredis listens once.
    for (const { stream } of "nodes" in own ? own.nodes() : [own]) stream?.on("error", () => {});
    own.disconnect();
  }

  /** Calls once the client is connected: its own queue would carry commands out long after they were given up. */
  #whenReady<T>(
    deadline: Deadline,
    call: (client: RedisClient, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const own = this.#own;
    if (own === undefined || (this.#open && own.status === "ready")) return call(this.#client, deadline);
    if (own.status === "wait" || own.status === "end") own.connect().catch(() => {});
    return new Promise((resolve, reject) => {
      const goOn = (): void => {
        call(own, deadline).then(resolve, reject);
      };
      this.#waiting.add(goOn);
      deadline.onPass = () => this.#waiting.delete(goOn);
    });
  }

  /** The error of a part of what was run, which failed by itself. */
  errorOf(operation: string, error: unknown): StoreError {
    return this.#storeError(operation, error);
  }

  #storeError(operation: string, error: unknown): StoreError {
    if (isReply(error)) {
      const problem = this.#redacted(error.message);
      return isOutage(error)
        ? outage("redis", operation, problem, "unavailable")
        : new StoreError("redis", operation, problem, "refused");
    }
    if (error === OPEN) {
      return this.#outage(operation, "it is left alone after several failures in a row", "breaker-open");
    }
    if (error === LATE) return this.#outage(operation, `no answer within ${this.#deadlineMs} ms`, "timeout");
    const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
    return this.#outage(
      operation,
      name === "MaxRetriesPerRequestError" ? "the connection was lost" : message,
      "unreachable",
    );
  }

  #outage(operation: string, problem: string, reason: StoreFailure): StoreError {
    const why = this.#lastError === "" ? "" : ` (${this.#redacted(this.#lastError)})`;
    return outage("redis", operation, this.#redacted(problem) + why, reason);
  }

  /** A message without what servers quote of a command, which may be a key, and without passwords. */
  #redacted(message: string): string {
    const said = message.replace(/,? with args beginning with.*/s, "");
    return printable(
      this.#secrets.reduce((text, secret) => text.replaceAll(secret, "…"), said),
      200,
    );
  }
}

/** The servers that hold the keys between them. */
export function serversOf(client: RedisClient): readonly RedisNode[] {
  const nodes = client.isCluster ? client.nodes?.("master") : undefined;
  return nodes ?? [client as RedisClient & RedisNode];
}

/** How many keys there are in a database, or on all servers of a cluster, if this user may know. */
async function keysOn(client: RedisClient): Promise<number | undefined> {
  try {
    const sizes = await Promise.all(serversOf(client).map((server) => server.dbsize()));
    return sizes.reduce<number>((sum, size) => sum + Number(size), 0);
  } catch (error) {
    if (isReply(error) && /^NOPERM\b/.test(error.message)) return undefined;
    throw error;
  }
}

function clientOf(server: unknown): RedisClient {
  const client = server as Partial<RedisClient> | null | undefined;
  if (["evalsha", "eval", "del"].every((name) => typeof client?.[name as keyof RedisClient] === "function")) {
    return client as RedisClient;
  }
  throw new TypeError(complaint("server", "a URL or an ioredis client", server));
}

/** An error as ioredis makes it of an answer. */
export function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}

/** Whether an error is the server's or the connection's, and not that of a call that the server refused. */
export function isOutage(error: unknown): boolean {
  return !isReply(error) || SERVER_STATES.test(error.message.replace(IN_SCRIPT, ""));
}

/** Whether the server itself answered with an error. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}
