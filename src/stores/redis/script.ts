import { createHash } from "node:crypto";
import type { Deadline } from "../deadline.js";
import type { RedisClient } from "./connection.js";

/** A script as Redis knows it: its text, and the digest by which it is called once it is loaded. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

export function scriptFrom(source: string): Script {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

/** Calls a script, and loads it where the server does not know it yet, unless the deadline has passed by then. */
export function callScript(
  client: RedisClient,
  deadline: Deadline,
  { sha, source }: Script,
  keys: number,
  keysAndArguments: string[],
): Promise<unknown> {
  return client.evalsha(sha, keys, ...keysAndArguments).catch((error: unknown) => {
    if (deadline.passed || !/^NOSCRIPT\b/.test(String((error as Error | undefined)?.message))) throw error;
    return client.eval(source, keys, ...keysAndArguments);
  });
}
