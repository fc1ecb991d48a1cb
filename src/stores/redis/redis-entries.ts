import type { Entries, Sum } from "../entries.js";
import { type Connection, serversOf } from "./connection.js";
import entriesLua from "./entries.lua";
import { encoded } from "./key-calls.js";
import { callScript, scriptFrom } from "./script.js";

const SCRIPT = scriptFrom(entriesLua);

/** Keys that a server looks at in one step of `clear`. */
const STEP = 512;

/** Entries on a server, each a key of its own that the server expires. */
export class RedisEntries implements Entries {
  readonly #connection: Connection;
  readonly #prefix: string;

  /** @param prefix what its keys begin with. */
  constructor(connection: Connection, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  async get(key: string): Promise<string | undefined> {
    return ((await this.#call("get", key)) as string | null) ?? undefined;
  }

  async set(key: string, text: string, ttlMs: number | undefined): Promise<void> {
    await this.#call("set", key, text, ttlMs);
  }

  async increment(key: string, amount: number, ttlMs: number | undefined): Promise<Sum> {
    const sum = (await this.#call("increment", key, String(amount), ttlMs)) as string;
    return sum === "no number" || sum === "too large" ? sum : Number(sum);
  }

  async delete(key: string): Promise<boolean> {
    return Number(await this.#call("delete", key)) > 0;
  }

  async exists(key: string): Promise<boolean> {
    return Number(await this.#call("exists", key)) > 0;
  }

  /** Goes round all keys of the database step by step, so that the server does other things in between. */
  async clear(): Promise<number> {
    const { keyPrefix } = this.#connection;
    const pattern = `${(keyPrefix + this.#prefix).replace(/[\\*?[\]^]/g, "\\$&")}*`;
    const servers = await this.#connection.run("clear", 1, async (client) => serversOf(client));
    let cleared = 0;
    for (const server of servers) {
      let cursor = "0";
      do {
        const [next, keys] = await this.#connection.run("clear", 1, () =>
          server.scan(cursor, "MATCH", pattern, "COUNT", STEP),
        );
        cursor = next;
        cleared += await this.#deleteAll(keys.map((key) => key.slice(keyPrefix.length)));
      } while (cursor !== "0");
    }
    return cleared;
  }

  /** One by one, as they may be in different slots of a cluster. */
  async #deleteAll(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const deleted = await this.#connection.run("clear", 1, (client) =>
      Promise.all(keys.map((key) => client.del(key))),
    );
    return deleted.reduce<number>((sum, count) => sum + Number(count), 0);
  }

  #call(act: string, key: string, argument = "", ttlMs?: number): Promise<unknown> {
    const place = this.#prefix + encoded(key);
    return this.#connection.run(act, 1, (client, deadline) =>
      callScript(client, deadline, SCRIPT, 1, [
        place,
        act,
        argument,
        ttlMs === undefined ? "" : String(ttlMs),
      ]),
    );
  }
}
