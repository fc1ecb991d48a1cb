import { randomUUID } from "node:crypto";
import { type Limiter, MemoryStore } from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";
import type { RedisClient } from "../../src/stores/redis/connection.js";
import { ManualClock } from "../../src/testing.js";
import type { Side, Table } from "./game.js";

/** The names of the stores that can be held against the model. */
export type SideName = Side["name"];

/** A client of ioredis 5 or 6. */
type Client = RedisClient & { pttl(key: string): Promise<number> };

/** A table at which programs are played on memory, and on the server of `client` if there is one. */
export function table(names: readonly SideName[], client?: Client): Table {
  const clock = new ManualClock();
  const id = randomUUID();
  const sides = names.map((name) => (name === "memory" ? memorySide(clock) : redisSide(clock, client!, id)));
  let programs = 0;
  return { clock, sides, unique: () => `${programs++} ` };
}

function memorySide(clock: ManualClock): Side {
  return {
    name: "memory",
    open: (maxSize) => new MemoryStore({ clock, ...(maxSize !== undefined && { maxSize }) }),
  };
}

function redisSide(clock: ManualClock, client: Client, prefix: string): Side {
  // A machine that stands still for a while is no difference.
  const store = new RedisStore(client, { clock, prefix, deadline: "60s" });
  return {
    name: "redis",
    open: () => store,
    close: () => store.close(),
    ttlMs: (limiter, key) =>
      client.pttl(limiter ? recordKey(prefix, limiter, key) : semaphoreKey(prefix, key)),
  };
}

/** Where a record is, as docs/stores.md says. */
function recordKey(prefix: string, { id }: Limiter, key: string): string {
  return `${prefix}:${id}:${key.replace(/[%{}]/g, encodeURIComponent)}`;
}

/** Where a semaphore is, as docs/concurrency.md says. */
function semaphoreKey(prefix: string, key: string): string {
  return `${prefix}:semaphore:${encodeURIComponent(key)}`;
}
