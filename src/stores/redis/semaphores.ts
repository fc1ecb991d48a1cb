import { randomBytes } from "node:crypto";
import { StoreError } from "../../errors.js";
import type { SemaphoreRequest, SemaphoreRules, Standing } from "../../semaphore/state.js";
import stateLua from "../../semaphore/state.lua";
import { type FailurePolicy, isOutage } from "../failure-policy.js";
import type { Arrangement } from "../store.js";
import type { Connection } from "./connection.js";
import { News } from "./news.js";
import { Releases } from "./releases.js";
import { callScript, scriptFrom } from "./script.js";

/** Requests on one key of the same moment, which travel together. */
interface Letters {
  readonly key: string;
  readonly rules: SemaphoreRules;
  readonly all: Letter[];
}

interface Letter {
  readonly request: SemaphoreRequest | undefined;
  readonly resolve: (arrangement: Arrangement | Promise<Arrangement>) => void;
}

const SCRIPT = scriptFrom(stateLua);

/** Requests that travel together at most: the server does nothing else meanwhile. */
const MOST_REQUESTS = 512;

/** Numbers of the reply before those of the requests. */
const HEAD = 4;

/** The semaphores of a server: one key for each, and one script call for all requests on it of a moment. */
export class Semaphores {
  readonly #connection: Connection;
  readonly #policy: FailurePolicy;
  readonly #prefix: string;
  readonly #now: () => number | undefined;
  /** Whose places these are, so that news of them comes here. */
  readonly #owner = randomBytes(8).toString("hex");
  readonly #news: News;
  readonly #releases = new Releases(({ key, rules, request }) => this.#release(key, rules, request));
  readonly #letters = new Map<string, Letters>();

  /** @param prefix what its keys and its channel begin with. @param now the time, or nothing for that of the server. */
  constructor(connection: Connection, policy: FailurePolicy, prefix: string, now: () => number | undefined) {
    this.#connection = connection;
    this.#policy = policy;
    this.#prefix = `${prefix}:semaphore:`;
    this.#now = now;
    this.#news = new News(connection, this.#channel + this.#owner);
  }

  arrange(key: string, rules: SemaphoreRules, request: SemaphoreRequest | undefined): Promise<Arrangement> {
    return new Promise((resolve) => {
      if (this.#letters.size === 0) process.nextTick(() => this.flush());
      const name = `${rules.capacity}/${rules.maxWaiting}/${key}`;
      const letters = this.#letters.get(name) ?? { key, rules, all: [] };
      letters.all.push({ request, resolve });
      this.#letters.set(name, letters);
      if (letters.all.length < MOST_REQUESTS) return;
      this.#letters.delete(name);
      void this.#send(letters);
    });
  }

  /** Sends what has been collected. */
  flush(): void {
    const waiting = [...this.#letters.values()];
    this.#letters.clear();
    for (const letters of waiting) void this.#send(letters);
  }

  /** Ends the waits, and gives their places back on the way. */
  close(): void {
    this.flush();
    this.#news.close(new StoreError("redis", "arrange", "it is closed", "closed"));
    this.#releases.tell();
    this.flush();
  }

  get #channel(): string {
    return `${this.#prefix}news:`;
  }

  async #send(letters: Letters): Promise<void> {
    const { key, rules, all } = letters;
    const requests = all.flatMap(({ request }) => request ?? []);
    for (const request of requests) {
      const { act, onNews } = request;
      if (act === "wait" && onNews) this.#news.expect(this.#idOf(request), key, onNews);
    }
    const now = this.#now();
    const words = [
      `${this.#prefix}${encodeURIComponent(key)}`,
      now === undefined ? "" : String(now),
      this.#owner,
      this.#channel,
      String(rules.capacity),
      String(rules.maxWaiting),
      ...requests.map((request) => `${request.act} ${this.#idOf(request)}`),
    ];
    const askedAt = performance.now();
    try {
      const reply = await this.#connection.run("arrange", all.length, (client, deadline) =>
        callScript(client, deadline, SCRIPT, 1, words),
      );
      this.#releases.isAnswering = true;
      this.#settle(all, reply, askedAt);
    } catch (error) {
      if (isOutage(error)) this.#releases.isAnswering = false;
      for (const letter of all) letter.resolve(this.#fail(error, key, rules, letter.request));
    }
  }

  async #fail(
    error: unknown,
    key: string,
    rules: SemaphoreRules,
    request: SemaphoreRequest | undefined,
  ): Promise<Arrangement> {
    // Whoever was let in meanwhile, as another answer or a message said, has what it asked for: nobody else must decide.
    if (request?.act === "wait" && request.onNews && !this.#news.isExpected(this.#idOf(request))) throw error;
    if (request !== undefined) this.#news.forget(this.#idOf(request));
    if (request?.act === "release" && isOutage(error)) {
      this.#releases.keep(this.#idOf(request), { key, rules, request });
    }
    const arrangement = await this.#policy.arrange(error, key, rules, request);
    // The server may have given what it could not tell of in time.
    if (request !== undefined) this.#release(key, rules, { ...request, act: "release" });
    return arrangement;
  }

  #release(key: string, rules: SemaphoreRules, request: SemaphoreRequest): void {
    this.arrange(key, rules, request).catch(() => {});
  }

  #settle(all: readonly Letter[], reply: unknown, askedAt: number): void {
    // A client may be set to hand over numbers as text.
    const words = (Array.isArray(reply) ? reply : []) as readonly unknown[];
    const [now = Number.NaN, inUse = 0, waiting = 0, firstEnd = 0] = words.slice(0, HEAD).map(Number);
    if (!Number.isSafeInteger(now))
      throw new StoreError("redis", "arrange", "the answer is not that of its script", "refused");
    this.#news.synchronize(now, askedAt);
    let next = HEAD;
    for (const { request, resolve } of all) {
      const standing = request && standingOf(Number(words[next]), Number(words[next + 1]), now);
      if (request !== undefined) next += 2;
      if (request !== undefined && standing?.status !== "waiting") this.#news.forget(this.#idOf(request));
      const asks = request?.act === "acquire" || request?.act === "wait";
      const leftMs = asks && firstEnd > 0 ? firstEnd - now : 0;
      resolve({ inUse, waiting, status: "none", token: 0, leftMs, ...standing });
    }
    for (; next < words.length; next += 3) {
      this.#news.tell(String(words[next]), Number(words[next + 1]), Number(words[next + 2]));
    }
    this.#news.listen();
  }

  /** Its permits and its lease are part of it, as state.lua has nothing else to go by. */
  #idOf({ id, permits, leaseMs }: SemaphoreRequest): string {
    return `${permits}/${leaseMs}/${this.#owner}/${id}`;
  }
}

/** What is had by a token, below 0 for a place in line; nothing if it is 0. */
function standingOf(token: number, endsAt: number, now: number): Standing | undefined {
  if (token === 0) return undefined;
  return { status: token > 0 ? "held" : "waiting", token: Math.abs(token), leftMs: endsAt - now };
}
