import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isStoreError, Limiter, Throttled } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { IOREDIS } from "../../support/ioredis.js";
import { type RedisServer, startRedis } from "../../support/redis-server.js";

let server: RedisServer;
let admin: Redis;
beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});
const limiter = new Limiter("gcra", "100/h");

/** Whether the server has a connection of that name. */
async function connected(name: string): Promise<boolean> {
  return String(await admin.client("LIST")).includes(`name=${name} `);
}

describe.each(IOREDIS)("a client of yours, $version", ({ connect }) => {
  test("is used as it is, and never closed", async () => {
    const client = connect(server.url);
    await client.client("SETNAME", "yours");
    {
      await using store = new RedisStore(client);
      await store.decide(limiter, "key", 1, 0);
    }
    const store = new RedisStore(client);
    await store.close();
    await store.close();
    expect(await client.ping()).toBe("PONG");
    expect(client.status).toBe("ready");
    expect(await connected("yours")).toBe(true);
    await expect(store.decide(limiter, "key", 1, 0)).rejects.toThrow(
      "The redis store failed to decide: it is closed",
    );
    client.disconnect();
  });

  test("gets no listener, command or option from the store", async () => {
    const client = connect(server.url);
    await client.ping();
    const before = [client.eventNames(), Object.keys(client), { ...client.options }];
    const store = new RedisStore(client);
    await store.decide(limiter, "key", 1, 0);
    await store.close();
    expect([client.eventNames(), Object.keys(client), { ...client.options }]).toEqual(before);
    client.disconnect();
  });

  test("may put a prefix of its own before every key", async () => {
    const client = connect(server.url);
    client.options.keyPrefix = "mine:";
    const throttle = new Throttled({ store: new RedisStore(client), quota: "1/h", using: "gcra" });
    expect(await throttle.limit("key")).toMatchObject({ limited: false });
    expect(await admin.exists("mine:throttled:gcra:1/3600000/1:key")).toBe(1);
    await throttle.reset("key");
    expect(await admin.exists("mine:throttled:gcra:1/3600000/1:key")).toBe(0);
    client.disconnect();
  });
});

describe("a client of the store's own", () => {
  test.each<[string, (store: RedisStore) => Promise<void>]>([
    ["close", (store) => store.close()],
    ["Symbol.asyncDispose", (store) => store[Symbol.asyncDispose]()],
  ])("is closed by %s, also twice, and then every call is a StoreError", async (name, close) => {
    const connectionName = `own-${name.replace(/\W/g, "")}`;
    const store = new RedisStore(server.url, { redisOptions: { connectionName } });
    await store.decide(limiter, "key", 1, 0);
    expect(await connected(connectionName)).toBe(true);
    await close(store);
    await close(store);
    await vi.waitFor(async () => expect(await connected(connectionName)).toBe(false), 5_000);
    await expect(store.decide(limiter, "key", 1, 0)).rejects.toSatisfy(isStoreError);
    await expect(store.reset(limiter, "key")).rejects.toSatisfy(isStoreError);
  });

  test("may be closed before it is connected, and while calls are under way", async () => {
    await new RedisStore(server.url).close();
    const store = new RedisStore(server.url);
    const calls = Array.from({ length: 20 }, () => store.decide(limiter, "key", 1, 0));
    await store.close();
    for (const { status, ...rest } of await Promise.allSettled(calls)) {
      expect(status === "fulfilled" || isStoreError((rest as PromiseRejectedResult).reason)).toBe(true);
    }
  });

  test("takes the options of ioredis", async () => {
    await using store = new RedisStore(server.url, { redisOptions: { connectionName: "optioned", db: 3 } });
    await store.decide(limiter, "key", 1, 0);
    expect(await connected("optioned")).toBe(true);
    expect(String(await admin.client("LIST"))).toMatch(/name=optioned .*db=3 /);
  });
});

describe("what the constructor refuses", () => {
  test.each<[unknown, string]>([
    [undefined, "undefined"],
    [null, "null"],
    [5, "5"],
    [{}, "an object"],
    [[], "an array"],
    [() => {}, "a function"],
    [new URL("redis://:secret@localhost"), "an object"],
    [{ evalsha() {}, eval() {} }, "an object"],
  ])("the server %o", (value, got) => {
    expect(() => new RedisStore(value as string)).toThrow(
      new TypeError(`Expected \`server\` to be a URL or an ioredis client, got ${got}`),
    );
  });

  test.each<[object | null, string]>([
    [
      { prefx: "a" },
      'Unknown option "prefx" in `options`, expected one of `prefix`, `deadline`, `onUnavailable`, `breaker`, `batch`, `denyCache`, `clock`, `redisOptions`',
    ],
    [{ prefix: 5 }, "Expected `prefix` to be a string, got 5"],
    [{ prefix: null }, "Expected `prefix` to be a string, got null"],
    [null, "Expected `options` to be an object, got null"],
    [[], "Expected `options` to be an object, got an array"],
    [{ clock: {} }, "Expected `clock` to be a clock with `now()`, got an object"],
    [{ clock: 5 }, "Expected `clock` to be a clock with `now()`, got 5"],
    [{ clock: null }, "Expected `clock` to be a clock with `now()`, got null"],
    [{ redisOptions: 5 }, "Expected `redisOptions` to be an object, got 5"],
    [{ redisOptions: null }, "Expected `redisOptions` to be an object, got null"],
  ])("the options %o", (options, message) => {
    expect(() => new RedisStore(admin, options as object)).toThrow(new TypeError(message));
  });

  test("`limitSync` and its like, which need a store that answers at once", () => {
    const throttle = new Throttled({ store: new RedisStore(admin) }) as unknown as Throttled;
    expect(() => throttle.limitSync("key")).toThrow(
      new TypeError("Expected `limitSync` to be called on a store that answers at once, got redis"),
    );
  });
});
