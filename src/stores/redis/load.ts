import type { Deadline } from "../deadline.js";
import { isOutage, type RedisClient, replyError } from "./connection.js";
import type { KeyCalls } from "./key-calls.js";

/** Refusals of several keys together that each of them alone may not meet; a Cluster of ioredis tries for a while before it says so. */
const NOT_TOGETHER =
  /^(NOPERM|CROSSSLOT|TRYAGAIN|Too many Cluster redirections\. Last error: ReplyError: (MOVED|ASK|TRYAGAIN))\b/;

/** Calls that travel as one call of the script. */
export class Load {
  // Made with their first element: an array that is empty at first takes room for many.
  readonly keys: [KeyCalls, ...KeyCalls[]];
  readonly #calls: [string, ...string[]];
  /** How many calls that are. */
  size: number;
  /** Whether the same is asked of every key. */
  #alike = true;

  constructor(first: KeyCalls) {
    this.keys = [first];
    this.#calls = [first.text];
    this.size = first.size;
  }

  /** Takes calls along whose script is the same. */
  add(calls: KeyCalls): void {
    const { text } = calls;
    this.#alike &&= calls.commons === this.keys[0].commons && text === this.#calls[0];
    this.keys.push(calls);
    this.#calls.push(text);
    this.size += calls.size;
  }

  /**
   * The lines of the reply or, if the server takes the keys only one by one, an `Apart`. Rejects if none could be served.
   * @param now the time for the script, or nothing for that of the server.
   */
  async send(
    client: RedisClient,
    deadline: Deadline,
    now: number | undefined,
  ): Promise<readonly string[] | Apart> {
    const { sha } = this.keys[0].commons.script;
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
  ): Promise<readonly string[] | Apart> {
    let problem = error;
    if (!deadline.passed && /^NOSCRIPT\b/.test(messageOf(error))) {
      const { source } = this.keys[0].commons.script;
      try {
        return served(await client.eval(source, this.keys.length, ...this.#arguments(now)));
      } catch (another) {
        problem = another;
      }
    }
    if (this.keys.length === 1 || deadline.passed || !NOT_TOGETHER.test(messageOf(problem))) throw problem;
    const ends = await Promise.allSettled(
      this.keys.map((calls) => new Load(calls).send(client, deadline, now) as Promise<readonly string[]>),
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
    const programs = this.#alike ? 1 : this.keys.length;
    for (let i = 0; i < programs; i++) args.push(`${this.#calls[i]} ${this.keys[i]!.commons.text}`);
    if (now !== undefined) args.push(String(now));
    return args;
  }
}

/** What is wrong with a key by its answer in a reply of the script, as the server put it. */
export function problemOf(answer: string): Error | undefined {
  return answer.startsWith("-") ? replyError(answer.slice(1)) : undefined;
}

/** What became of keys that had to be sent one by one. */
export class Apart {
  readonly ends: readonly PromiseSettledResult<readonly string[]>[];

  constructor(ends: readonly PromiseSettledResult<readonly string[]>[]) {
    this.ends = ends;
  }
}

/** The answers in a reply, unless the server failed for each of the keys: then it can't serve now, of which the breaker has to hear. */
function served(reply: unknown): readonly string[] {
  if (typeof reply !== "string") return [];
  const answers = reply.split("\n");
  for (let i = 1; i < answers.length; i++) if (!answers[i]!.startsWith("-")) return answers;
  const error = problemOf(answers[1] ?? "");
  if (error !== undefined && isOutage(error)) throw error;
  return answers;
}

function messageOf(error: unknown): string {
  return String((error as Error | undefined)?.message);
}
