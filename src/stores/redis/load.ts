import type { Deadline } from "../deadline.js";
import { isOutage, type RedisClient, replyError } from "./connection.js";
import type { Commons, KeyCalls } from "./key-calls.js";

/** Refusals of several keys together that each of them alone may not meet; a Cluster of ioredis tries for a while before it says so. */
const NOT_TOGETHER =
  /^(NOPERM|CROSSSLOT|TRYAGAIN|Too many Cluster redirections\. Last error: ReplyError: (MOVED|ASK|TRYAGAIN))\b/;

/** Calls that travel as one call of the script. */
export class Load {
  // Made with their first element: an array that is empty at first takes room for many.
  readonly keys: [KeyCalls, ...KeyCalls[]];
  readonly #commons: [Commons, ...Commons[]];
  readonly #programs: [string, ...string[]];
  /** How many calls that are. */
  size: number;

  constructor(first: KeyCalls) {
    this.keys = [first];
    this.#commons = [first.commons];
    this.#programs = [first.program(1)];
    this.size = first.size;
  }

  /** Takes calls along whose script is the same. */
  add(calls: KeyCalls): void {
    this.size += calls.size;
    let index = this.#commons.indexOf(calls.commons);
    if (index === -1) index = this.#commons.push(calls.commons) - 1;
    this.keys.push(calls);
    this.#programs.push(calls.program(index + 1));
  }

  /**
   * The reply of the script or, if the server takes the keys only one by one, an `Apart`. Rejects if none could be served.
   * @param now the time for the script, or nothing for that of the server.
   */
  async send(client: RedisClient, deadline: Deadline, now: number | undefined): Promise<unknown> {
    const { sha } = this.#commons[0].script;
    try {
      return served(await client.evalsha(sha, this.keys.length, ...this.#arguments(now)));
    } catch (error) {
      return this.#sendOtherwise(error, client, deadline, now);
    }
  }

  /** What answers after an error: the whole script where the server does not know it, or the keys one by one. */
  async #sendOtherwise(
    error: unknown,
    client: RedisClient,
    deadline: Deadline,
    now: number | undefined,
  ): Promise<unknown> {
    let problem = error;
    if (!deadline.passed && /^NOSCRIPT\b/.test(messageOf(error))) {
      const { source } = this.#commons[0].script;
      try {
        return served(await client.eval(source, this.keys.length, ...this.#arguments(now)));
      } catch (another) {
        problem = another;
      }
    }
    if (this.keys.length === 1 || deadline.passed || !NOT_TOGETHER.test(messageOf(problem))) throw problem;
    const ends = await Promise.allSettled(
      this.keys.map((calls) => new Load(calls).send(client, deadline, now)),
    );
    const [first] = ends;
    if (
      first?.status === "rejected" &&
      ends.every((end) => end.status === "rejected" && isOutage(end.reason))
    ) {
      throw first.reason;
    }
    return new Apart(ends);
  }

  /** Keys and arguments as limiter.lua reads them. */
  #arguments(now: number | undefined): string[] {
    const args = this.keys.map(({ redisKey }) => redisKey);
    const [first] = this.#programs;
    const moment = now === undefined ? "" : String(now);
    if (this.#programs.every((program) => program === first)) args.push(moment, first);
    else args.push(moment, "", ...this.#programs);
    for (const { text } of this.#commons) args.push(text);
    return args;
  }
}

/** What became of keys that had to be sent one by one. */
export class Apart {
  readonly ends: readonly PromiseSettledResult<unknown>[];

  constructor(ends: readonly PromiseSettledResult<unknown>[]) {
    this.ends = ends;
  }
}

/** The reply, unless the server failed for each of the keys: then it can't serve now, of which the breaker has to hear. */
function served(reply: unknown): unknown {
  if (!Array.isArray(reply) || !reply.every((answer, i) => i === 0 || Array.isArray(answer))) return reply;
  const error = replyError(String(reply[1]));
  if (isOutage(error)) throw error;
  return reply;
}

function messageOf(error: unknown): string {
  return String((error as Error | undefined)?.message);
}
