import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Limiter, Throttled } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { type RedisServer, startRedis } from "../../support/redis-server.js";

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => redis.flushall());

const STRANGE_KEYS = [
  "{",
  "}",
  "{}",
  "{a}",
  "%7Ba%7D",
  "%257Ba%257D",
  "%",
  "a b",
  "a:b",
  ":",
  "\u0000",
  "\r\n",
  "\u001b[31m",
  "\u007f",
  '"',
  "'",
  "\\",
  "*",
  "ä",
  "a\u0308",
  "日本語",
  "👩‍👩‍👧‍👦",
  "\ufeff",
  "\uffff",
  "__proto__",
  "constructor",
  "k".repeat(512),
  "é".repeat(256),
  "{".repeat(512),
];

test("strange keys are kept apart, and each comes back to its own state", async () => {
  const limiter = new Limiter("gcra", "2/h");
  const store = new RedisStore(redis);
  for (const key of STRANGE_KEYS) {
    expect(await store.decide(limiter, key, 2, 0), key).toMatchObject({ limited: false });
    expect(await store.decide(limiter, key, 1, 0), key).toMatchObject({ limited: true, remaining: 0 });
  }
  expect(await redis.dbsize()).toBe(STRANGE_KEYS.length);
  for (const key of STRANGE_KEYS) await store.reset(limiter, key);
  expect(await redis.dbsize()).toBe(0);
});

test("no key of a user's brings braces into the key on the server", async () => {
  const store = new RedisStore(redis);
  for (const key of STRANGE_KEYS) await store.decide(new Limiter("gcra", "2/h; 3/d"), key, 1, 0);
  for (const key of await redis.keys("*")) expect(key).not.toMatch(/[{}]/);
});

describe("the prefix", () => {
  test('is "throttled" by default', async () => {
    await new Throttled({ store: new RedisStore(redis), quota: "5/s burst 9" }).limit("user:42");
    expect(await redis.keys("*")).toEqual(["throttled:token-bucket:5/1000/9:user:42"]);
  });

  test.each(["app", "", "{app}", "a:b", "日本"])(
    "%j begins every key, and nothing else is shared",
    async (prefix) => {
      const [one, other] = [prefix, randomUUID()].map(
        (each) =>
          new Throttled({ store: new RedisStore(redis, { prefix: each }), quota: "1/h", using: "gcra" }),
      );
      expect(await one!.limit("key")).toMatchObject({ limited: false });
      expect(await redis.keys("*")).toEqual([`${prefix}:gcra:1/3600000/1:key`]);
      expect(await other!.limit("key")).toMatchObject({ limited: false });
      await other!.reset("key");
      expect(await one!.limit("key")).toMatchObject({ limited: true });
    },
  );

  test("that two stores share makes one limiter of them", async () => {
    const [one, other] = [0, 1].map(
      () => new Throttled({ store: new RedisStore(redis, { prefix: "shared" }), quota: "2/h" }),
    );
    expect(await one!.limit("key")).toMatchObject({ limited: false, remaining: 1 });
    expect(await other!.limit("key")).toMatchObject({ limited: false, remaining: 0 });
    expect(await one!.limit("key")).toMatchObject({ limited: true });
  });
});

test("the key on the server tells algorithm and every quota", async () => {
  const store = new RedisStore(redis);
  await store.decide(new Limiter("sliding-window", "5/s; 100/h"), "key", 1, 0);
  expect(await redis.keys("*")).toEqual(["throttled:sliding-window:5/1000/5;100/3600000/100:key"]);
});
