import type { RedisClient } from "../../src/redis.js";

/** One command as the store sent it. */
export interface SentCommand {
  readonly name: "evalsha" | "eval" | "del";
  readonly keys: readonly string[];
}

/** A client that hands everything on to a real one, and remembers what the store sent. */
export class RecordingClient implements RedisClient {
  readonly sent: SentCommand[] = [];
  readonly #client: RedisClient;

  get isCluster(): boolean {
    return this.#client.isCluster === true;
  }

  get options(): NonNullable<RedisClient["options"]> {
    return this.#client.options ?? {};
  }

  constructor(client: RedisClient) {
    this.#client = client;
  }

  evalsha(sha: string, keys: number, ...rest: string[]): Promise<unknown> {
    this.sent.push({ name: "evalsha", keys: rest.slice(0, keys) });
    return this.#client.evalsha(sha, keys, ...rest);
  }

  eval(script: string, keys: number, ...rest: string[]): Promise<unknown> {
    this.sent.push({ name: "eval", keys: rest.slice(0, keys) });
    return this.#client.eval(script, keys, ...rest);
  }

  del(key: string): Promise<unknown> {
    this.sent.push({ name: "del", keys: [key] });
    return this.#client.del(key);
  }
}
