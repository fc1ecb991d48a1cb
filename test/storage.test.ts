import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { MemoryStore, type Store, StoreError, Throttled } from "../src/index.js";
import { RedisStore } from "../src/redis.js";
import { Storage } from "../src/storage.js";
import { ManualClock } from "../src/testing.js";
import { type ClusterTopology, startCluster } from "./support/cluster.js";
import { IOREDIS } from "./support/ioredis.js";
import { freePort } from "./support/redis-server.js";

let cluster: ClusterTopology;
const clients: Redis[] = [];

beforeAll(async () => {
  cluster = await startCluster();
});

afterAll(async () => {
  for (const client of clients) client.disconnect();
  await cluster.stop();
});

function clientWithPrefix(connect: (url: string) => Redis): Redis {
  const client = connect(inject("redisUrl"));
  client.options.keyPrefix = "app[1]:";
  clients.push(client);
  return client;
}

/** Every kind of store, with a prefix that a pattern could misread. */
const STORES: Record<string, () => Store> = {
  memory: () => new MemoryStore(),
  "a server": () => new RedisStore(inject("redisUrl"), { prefix: `p*${randomUUID()}` }),
  "a cluster": () => new RedisStore(cluster.url, { prefix: `p*${randomUUID()}`, deadline: "5s" }),
};
for (const { version, connect } of IOREDIS) {
  STORES[`a client of ${version} with a prefix`] = () =>
    new RedisStore(clientWithPrefix(connect), { prefix: `p*${randomUUID()}` });
}

describe.each(Object.entries(STORES))("a storage on %s", (_, make) => {
  let store: Store;
  let storage: Storage;

  beforeAll(() => {
    store = make();
    storage = new Storage({ store, name: randomUUID() });
  });

  afterAll(() => store.close?.());

  test("keeps whatever JSON can say, until another value or `delete` comes", async () => {
    for (const value of [0, -1.5, "", "text\0 é \u{1f600}", true, null, [1, "2"], { a: { b: null } }]) {
      await storage.set("key {1}%", value);
      expect(await storage.get("key {1}%")).toEqual(value);
    }
    expect(await storage.exists("key {1}%")).toBe(true);
    expect(await storage.delete("key {1}%")).toBe(true);
    expect(await storage.delete("key {1}%")).toBe(false);
    expect([await storage.get("key {1}%"), await storage.exists("key {1}%")]).toEqual([undefined, false]);
  });

  test("keeps a value for its time", async () => {
    await storage.set("short", 1, { ttl: "150ms" });
    await storage.set("long", 1, { ttl: "1h" });
    await storage.set("mended", 1, { ttl: "150ms" });
    await storage.set("mended", 2);
    expect(await storage.exists("long")).toBe(true);
    await expect.poll(() => storage.get("short"), { timeout: 5_000 }).toBeUndefined();
    expect([await storage.get("long"), await storage.get("mended")]).toEqual([1, 2]);
  });

  test("adds to whole numbers, from 0 on and exactly", async () => {
    expect(await storage.increment("n")).toBe(1);
    expect(await storage.increment("n", 41)).toBe(42);
    expect(await storage.increment("n", -50)).toBe(-8);
    expect(await storage.get("n")).toBe(-8);
    await storage.set("most", Number.MAX_SAFE_INTEGER - 1);
    expect(await storage.increment("most")).toBe(Number.MAX_SAFE_INTEGER);
    await expect(storage.increment("most")).rejects.toThrow(
      new RangeError('Expected the value of "most" to stay below 2^53'),
    );
    expect(await storage.get("most")).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("gives a number its time when it is new, and leaves it alone afterwards", async () => {
    await storage.increment("visits", 1, { ttl: "300ms" });
    await storage.increment("visits", 1, { ttl: "1h" });
    await expect.poll(() => storage.exists("visits"), { timeout: 5_000 }).toBe(false);
    expect(await storage.increment("visits")).toBe(1);
  });

  test.each(["text", "5", 1.5, null, [1], 2 ** 60])("does not add to %j", async (value) => {
    await storage.set("other", value);
    await expect(storage.increment("other")).rejects.toThrow(
      new TypeError('Expected the value of "other" to be a whole number'),
    );
    expect(await storage.get("other")).toEqual(value);
  });

  test("adds up what many callers add at once", async () => {
    const sums = await Promise.all(Array.from({ length: 100 }, () => storage.increment("many")));
    expect(sums.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  test("clears all of its own, and neither those of another name nor what a limiter remembers", async () => {
    const [mine, other] = [new Storage({ store, name: "a" }), new Storage({ store, name: "a:b" })];
    const same = new Storage({ store, name: "a" });
    const throttle = new Throttled({ store, quota: "5/h" });
    await throttle.limit("k");
    await Promise.all(Array.from({ length: 600 }, (_, i) => mine.set(`b:${i}`, i)));
    await other.set("1", "stays");
    expect(await same.get("b:599")).toBe(599);
    expect(await same.clear()).toBe(600);
    expect([await mine.exists("b:0"), await other.get("1")]).toEqual([false, "stays"]);
    expect((await throttle.peek("k")).remaining).toBe(4);
    expect(await same.clear()).toBe(0);
  });
});

test("in memory goes by the clock of the store, and counts only what has not expired", async () => {
  const clock = new ManualClock();
  const storage = new Storage({ store: new MemoryStore({ clock }) });
  await storage.set("a", 1, { ttl: 1_000 });
  await storage.set("b", 2);
  await clock.advance(999);
  expect(await storage.get("a")).toBe(1);
  await clock.advance(1);
  expect(await storage.clear()).toBe(1);
});

test("without a store is that of the process", async () => {
  const name = randomUUID();
  await new Storage({ name }).set("key", "value");
  expect(await new Storage({ name, store: new Throttled().store }).get("key")).toBe("value");
  expect(await new Storage().get("key")).toBeUndefined();
});

test("fails with a StoreError while the server is away, whatever the policy for limiters", async () => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  await using store = new RedisStore(url, { onUnavailable: "allow", deadline: 50 });
  const storage = new Storage({ store });
  for (const call of [storage.get("k"), storage.set("k", 1), storage.increment("k"), storage.clear()]) {
    await expect(call).rejects.toThrow(StoreError);
  }
});

describe("bad input", () => {
  const storage = new Storage({ store: new MemoryStore() });
  const remote = { name: "mine", sync: false, decide: () => {}, reset: () => {} };

  test.each([
    [{ stores: 1 }, 'Unknown option "stores" in `options`, expected one of `store`, `name`'],
    [{ store: {} }, "Expected `store` to be a store that keeps values, got an object"],
    [{ store: remote }, "Expected `store` to be a store that keeps values, got an object"],
    [{ name: 5 }, "Expected `name` to be a string of 1 to 512 UTF-8 bytes, got 5"],
  ])("of the constructor: %o", (options, message) => {
    expect(() => new Storage(options as object)).toThrow(new TypeError(message));
  });

  test.each([
    [() => storage.get(""), 'Expected `key` to be a string of 1 to 512 UTF-8 bytes, got ""'],
    [() => storage.set("k", undefined), "Expected `value` to be something that JSON can say, got undefined"],
    [() => storage.set("k", () => {}), "Expected `value` to be something that JSON can say, got a function"],
    [() => storage.set("k", 1, { ttl: 0 }), "Expected `ttl` to be a duration of 1 ms or more, got 0"],
    [
      () => storage.set("k", 1, { tll: 5 } as object),
      'Unknown option "tll" in `options`, expected one of `ttl`',
    ],
    [() => storage.increment("k", 0.5), "Expected `amount` to be a whole number, got 0.5"],
  ])("of a method: %s", async (call, message) => {
    await expect(call()).rejects.toThrow(message);
    expect(await storage.exists("k")).toBe(false);
  });
});
