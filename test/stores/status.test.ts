import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { describe, expect, inject, test } from "vitest";
import { MemoryStore, Throttled } from "../../src/index.js";
import { type RedisClient, RedisStore } from "../../src/redis.js";
import { replyError } from "../../src/stores/redis/connection.js";
import { startCluster } from "../support/cluster.js";
import { freePort, startRedis } from "../support/redis-server.js";

describe("a MemoryStore", () => {
  test("says how many keys it has, and how many it had to forget", async () => {
    const store = new MemoryStore({ maxSize: 2 });
    const throttle = new Throttled({ quota: "5/h", store });
    for (const key of ["a", "b", "c"]) throttle.limitSync(key);
    expect(store.status()).toEqual({
      type: "memory",
      keys: 2,
      connected: true,
      breaker: "closed",
      counters: { forgotten: 1 },
    });
  });
});

describe("a RedisStore", () => {
  test("says how many keys its database has, and counts calls and the requests they travelled in", async () => {
    const server = await startRedis();
    await using store = new RedisStore(server.url, { denyCache: "10s" });
    const throttle = new Throttled({ quota: "1/h", store });
    await throttle.limitMany(["a", "b", "a"]);
    expect((await throttle.limit("a")).limited).toBe(true);
    expect(await store.status()).toEqual({
      type: "redis",
      keys: 2,
      connected: true,
      breaker: "closed",
      counters: { calls: 4, failures: 0, requests: 2, breakerOpenings: 0, refusedHere: 1 },
    });
    await server.stop();
  });

  test("adds up the keys of all servers of a cluster", async () => {
    const cluster = await startCluster();
    await using store = new RedisStore(cluster.url, { deadline: "5s" });
    await new Throttled({ store }).limitMany(Array.from({ length: 50 }, (_, i) => `key ${i}`));
    expect(await store.status()).toMatchObject({ keys: 50, connected: true });
    await cluster.stop();
  });

  test("says that it is not connected, and what the breaker does, instead of failing", async () => {
    const breaker = { failures: 2, retryAfter: 60 };
    await using store = new RedisStore(`redis://127.0.0.1:${await freePort()}`, { deadline: 40, breaker });
    const seen = [await store.status(), await store.status(), await store.status()];
    expect(seen.map(({ keys, connected, breaker }) => ({ keys, connected, breaker }))).toEqual([
      { keys: undefined, connected: false, breaker: "closed" },
      { keys: undefined, connected: false, breaker: "open" },
      { keys: undefined, connected: false, breaker: "open" },
    ]);
    expect(seen[2]!.counters).toMatchObject({ calls: 3, failures: 3, requests: 2, breakerOpenings: 1 });
    await expect.poll(async () => (await store.status()).counters["requests"]).toBe(3);
  });

  test("is connected to a server that refuses to tell how many keys it has", async () => {
    const client = new Redis(inject("redisUrl"));
    const user = `user-${randomUUID()}`;
    await client.acl("SETUSER", user, "on", ">secret", "~*", "+info");
    const url = inject("redisUrl").replace("redis://", `redis://${user}:secret@`);
    await using store = new RedisStore(url);
    expect(await store.status()).toMatchObject({ keys: undefined, connected: true });
    await client.acl("DELUSER", user);
    client.disconnect();
  });

  test.each([
    replyError("LOADING the dataset"),
    replyError("ERR nothing about NOPERM"),
    new Error("NOPERM says the connection"),
  ])("is not connected where asking for that fails otherwise: %s", async (error) => {
    const fails = () => Promise.reject(error);
    const client = { evalsha: fails, eval: fails, del: fails, dbsize: fails };
    await using store = new RedisStore(client as RedisClient);
    expect(await store.status()).toMatchObject({ keys: undefined, connected: false });
  });
});
