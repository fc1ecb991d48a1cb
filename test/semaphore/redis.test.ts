import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isStoreError, LimitedError, Semaphore, type SemaphoreOptions } from "../../src/index.js";
import { RedisStore, type RedisStoreOptions } from "../../src/redis.js";
import { ManualClock } from "../../src/testing.js";
import { FaultyProxy } from "../support/faulty-proxy.js";
import { IOREDIS } from "../support/ioredis.js";
import { RecordingClient } from "../support/recording-client.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";
import { Turns } from "../support/semaphores.js";
import { until } from "../support/server-node.js";

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

type Options = Partial<Omit<SemaphoreOptions, "store">>;

/** A store of its own, as a process has one, and a semaphore on it. */
function on(client: RedisClientOrUrl, options: Options = {}, ofStore: RedisStoreOptions = {}) {
  const prefix = ofStore.prefix ?? randomUUID();
  const store = new RedisStore(client, { ...ofStore, prefix });
  const semaphore = new Semaphore({ capacity: 1, timeout: "20s", store, ...options });
  return { store, semaphore, prefix, [Symbol.asyncDispose]: () => store.close() };
}
type RedisClientOrUrl = ConstructorParameters<typeof RedisStore>[0];

/** Waits until so many permits are held, and so many calls wait. */
function arranged(semaphore: Semaphore<RedisStore>, inUse: number, waiting: number): Promise<void> {
  return until(`${inUse} are held and ${waiting} wait`, 5_000, async () => {
    const seen = await semaphore.peek("key");
    return seen.inUse === inUse && seen.waiting === waiting;
  });
}

/** How many connections subscribe to something. */
async function subscribers(): Promise<number> {
  return String(await redis.client("LIST", "TYPE", "PUBSUB"))
    .split("\n")
    .filter(Boolean).length;
}

test("the largest capacity is counted to the last permit", async () => {
  const capacity = 2 ** 52 - 1;
  await using one = on(server.url, { capacity, timeout: 0, lease: 2 ** 31 - 1 });
  const most = await one.semaphore.acquire("key", { permits: capacity - 1 });
  await using last = await one.semaphore.acquire("key");
  expect(last.token).toBeGreaterThan(most.token);
  await expect(one.semaphore.acquire("key")).rejects.toThrow(LimitedError);
  expect(await one.semaphore.peek("key")).toEqual({ capacity, inUse: capacity, waiting: 0 });
  await most.release();
  expect(await one.semaphore.peek("key")).toEqual({ capacity, inUse: 1, waiting: 0 });
});

describe("processes that share a key", () => {
  test("never hold more together than there are permits, and are let in as they came", async () => {
    await using one = on(server.url, { capacity: 2 });
    await using other = on(server.url, { capacity: 2 }, { prefix: one.prefix });
    const held = [await one.semaphore.acquire("key"), await other.semaphore.acquire("key")];
    const turns = new Turns();
    const waiting = [];
    for (const [name, { semaphore }] of [one, other, other, one].entries()) {
      waiting.push(turns.note(name, semaphore.acquire("key")));
      await arranged(one.semaphore, 2, name + 1);
    }
    await held[0]!.release();
    for (const acquired of waiting) await (await acquired).release();
    await held[1]!.release();
    expect(turns.order).toEqual([0, 1, 2, 3]);
    expect(await other.semaphore.peek("key")).toEqual({ capacity: 2, inUse: 0, waiting: 0 });
  });

  test("get tokens that grow from holder to holder, wherever they are", async () => {
    await using one = on(server.url);
    await using other = on(server.url, {}, { prefix: one.prefix });
    const tokens: number[] = [];
    for (let i = 0; i < 20; i++) {
      tokens.push(await (i % 2 ? one : other).semaphore.run("key", ({ token }) => token));
    }
    await redis.del(`${one.prefix}:semaphore:key`);
    tokens.push(await one.semaphore.run("key", ({ token }) => token));
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    expect(tokens.every(Number.isSafeInteger)).toBe(true);
  });

  test("get tokens that grow also after everything was released and the clock was set back", async () => {
    const clock = new ManualClock();
    await using one = on(redis, {}, { clock });
    const before = await one.semaphore.run("key", ({ token }) => token);
    clock.set(clock.now() - 86_400_000);
    expect(await one.semaphore.run("key", ({ token }) => token)).toBeGreaterThan(before);
  });

  test("lose what was not renewed by the clock of the store, and learn of it", async () => {
    const clock = new ManualClock();
    await using one = on(redis, {}, { clock });
    await using other = on(redis, {}, { clock, prefix: one.prefix });
    const lost = await one.semaphore.acquire("key");
    clock.advance(30_000);
    const next = await other.semaphore.acquire("key");
    expect(next.token).toBeGreaterThan(lost.token);
    await until("the loss is known", 5_000, () => lost.signal.aborted);
    await lost.release();
    expect(await other.semaphore.peek("key")).toMatchObject({ inUse: 1 });
  });

  test("share a key only if it is the same to the letter", async () => {
    await using one = on(redis);
    for (const key of ["a", "b", "a:b", "{a}", "%7Ba%7D", "news:a", "a\u0000", "ä", "__proto__", " "]) {
      await one.semaphore.acquire(key);
      await expect(one.semaphore.acquire(key, { timeout: 0 })).rejects.toThrow(LimitedError);
    }
  });
});

describe("acquire", () => {
  test("is refused with the numbers of the server", async () => {
    await using one = on(server.url, { capacity: 3 });
    await one.semaphore.acquire("key");
    const error = await one.semaphore
      .acquire("key", { permits: 3, timeout: 0 })
      .catch((thrown: unknown) => thrown as LimitedError);
    const { result, message } = error as LimitedError;
    expect(result).toMatchObject({ source: "store", limit: 3, remaining: 2, quotaIndex: 0 });
    expect(result.retryAfterMs).toBeGreaterThan(20_000);
    expect(result.retryAfterMs).toBeLessThanOrEqual(30_000);
    expect(message).toMatch(/^Concurrency limit exceeded: remaining=2, resetAfterMs=\d+, retryAfterMs=\d+$/);
  });

  test("that is aborted while the server is asked holds nothing", async () => {
    await using one = on(server.url);
    await one.semaphore.peek("key");
    for (const timeout of [0, "10s"] as const) {
      const leave = new AbortController();
      const call = one.semaphore.acquire("key", { signal: leave.signal, timeout });
      await new Promise((resolve) => process.nextTick(resolve));
      leave.abort(new Error("enough"));
      await expect(call).rejects.toThrow("enough");
      await arranged(one.semaphore, 0, 0);
    }
  });

  test("that is aborted while it waits gives its place back, and delays nobody behind it", async () => {
    await using one = on(server.url);
    await using other = on(server.url, {}, { prefix: one.prefix });
    const held = await one.semaphore.acquire("key");
    const leave = new AbortController();
    const leaving = other.semaphore.acquire("key", { signal: leave.signal });
    await arranged(one.semaphore, 1, 1);
    const next = one.semaphore.acquire("key");
    await arranged(one.semaphore, 1, 2);
    leave.abort(new Error("enough"));
    await expect(leaving).rejects.toThrow("enough");
    await arranged(one.semaphore, 1, 1);
    await held.release();
    await (await next).release();
  });

  test("that times out gives its place back", async () => {
    await using one = on(server.url);
    await one.semaphore.acquire("key");
    await expect(one.semaphore.acquire("key", { timeout: 50 })).rejects.toThrow(LimitedError);
    await arranged(one.semaphore, 1, 0);
  });

  test("of more than maxWaiting is refused, counted over all processes", async () => {
    await using one = on(server.url, { maxWaiting: 1 });
    await using other = on(server.url, { maxWaiting: 1 }, { prefix: one.prefix });
    const held = await one.semaphore.acquire("key");
    const waiting = one.semaphore.acquire("key");
    await arranged(one.semaphore, 1, 1);
    await expect(other.semaphore.acquire("key")).rejects.toThrow(LimitedError);
    await held.release();
    await waiting;
  });

  test("is let in when the capacity is raised here, though another process had asked", async () => {
    await using one = on(server.url);
    await using other = on(server.url, { capacity: 2 }, { prefix: one.prefix });
    await one.semaphore.acquire("key");
    const waiting = one.semaphore.acquire("key");
    await arranged(one.semaphore, 1, 1);
    one.semaphore.capacity = 2;
    await waiting;
    await expect(other.semaphore.acquire("key", { timeout: 0 })).rejects.toThrow(LimitedError);
  });
});

describe("what is sent", () => {
  test("is one script call for all that ask for a key at once, and one for all that give back", async () => {
    const client = new RecordingClient(redis);
    await using one = on(client, { capacity: 200, timeout: 0 });
    await one.semaphore.peek("key");
    client.sent.length = 0;
    const calls = Array.from({ length: 500 }, () => one.semaphore.acquire("key").catch(() => undefined));
    const held = (await Promise.all(calls)).flatMap((lease) => lease ?? []);
    expect(client.sent).toEqual([{ name: "evalsha", keys: [`${one.prefix}:semaphore:key`] }]);
    expect(held).toHaveLength(200);
    await Promise.all(held.map((lease) => lease.release()));
    expect([client.sent.length, await one.semaphore.peek("key")]).toMatchObject([2, { inUse: 0 }]);
  });

  test("is one script call for all that begin to wait at once", async () => {
    const client = new RecordingClient(redis);
    await using one = on(client);
    const held = await one.semaphore.acquire("key");
    client.sent.length = 0;
    const waiting = Array.from({ length: 300 }, () => one.semaphore.acquire("key"));
    expect(await one.semaphore.peek("key")).toMatchObject({ inUse: 1, waiting: 300 });
    expect(client.sent).toHaveLength(1);
    await held.release();
    for (const acquired of waiting) await (await acquired).release();
  });

  test("is at most 512 requests a script call, so that the server is not held up for long", async () => {
    const client = new RecordingClient(redis);
    await using one = on(client, { capacity: 1_300, timeout: 0 }, { deadline: "5s" });
    await one.semaphore.peek("key");
    client.sent.length = 0;
    const leases = await Promise.all(Array.from({ length: 1_300 }, () => one.semaphore.acquire("key")));
    expect(client.sent).toHaveLength(3);
    expect(leases.map(({ token }) => token)).toEqual(
      [...leases.map(({ token }) => token)].sort((a, b) => a - b),
    );
    await Promise.all(leases.map((lease) => lease.release()));
    expect([client.sent.length, (await one.semaphore.peek("key")).inUse]).toEqual([6, 0]);
  });

  test("is no more than what the documentation asks a user of the server to be allowed", async () => {
    const prefix = randomUUID();
    const commands = "+eval +evalsha +time +info +exists +pexpire +zmscore +zcount +zadd +zscore +zrem";
    const more = "+zrangebyscore +zrevrangebyscore +publish +subscribe";
    const rights = ["resetchannels", `~${prefix}:*`, `&${prefix}:*`, ...`${commands} ${more}`.split(" ")];
    await redis.acl("SETUSER", "semaphores", "on", ">pw", ...rights);
    const url = server.url.replace("redis://", "redis://semaphores:pw@");
    await using one = on(url, { lease: "10m" }, { prefix });
    await using other = on(url, { lease: "10m" }, { prefix });
    const count = await subscribers();
    const held = await other.semaphore.acquire("key");
    const waiting = one.semaphore.acquire("key");
    await until("it listens", 5_000, async () => (await subscribers()) === count + 1);
    await held.release();
    await (await waiting).renew();
    expect(await redis.call("ACL", "LOG")).toEqual([]);
  });

  test("lies under one key that has a TTL, also when nobody holds anything", async () => {
    await using one = on(server.url);
    const key = `${one.prefix}:semaphore:a%7Bb%7D%3Ac`;
    const lease = await one.semaphore.acquire("a{b}:c");
    expect(await redis.keys(`${one.prefix}*`)).toEqual([key]);
    expect(await redis.pttl(key)).toBeGreaterThan(3_600_000);
    await lease.release();
    expect(await redis.keys(`${one.prefix}*`)).toEqual([key]);
    const left = await redis.pttl(key);
    expect(left).toBeGreaterThan(3_590_000);
    expect(left).toBeLessThanOrEqual(3_600_000);
  });

  test("by a peek at a fresh key leaves nothing", async () => {
    await using one = on(server.url);
    expect(await one.semaphore.peek("key")).toEqual({ capacity: 1, inUse: 0, waiting: 0 });
    expect(await redis.keys(`${one.prefix}*`)).toEqual([]);
  });

  test("goes over one connection until somebody waits, and the second one is gone with the store", async () => {
    const proxy = await FaultyProxy.start(server.port);
    const one = on(proxy.url);
    const lease = await one.semaphore.acquire("key");
    await one.semaphore.peek("key");
    expect(proxy.accepted).toBe(1);
    const waiting = one.semaphore.acquire("key");
    await until("it listens", 5_000, () => proxy.accepted === 2);
    await lease.release();
    await waiting;
    await one.store.close();
    await until("both are closed", 5_000, () => proxy.connections.length === 0);
    await proxy.stop();
  });
});

describe.each(IOREDIS)("a client of yours, $version", ({ connect }) => {
  test("is used as it is, and makes one more to subscribe with, which is gone with the store", async () => {
    const client = connect(server.url);
    await client.ping();
    const before = [client.eventNames(), Object.keys(client), { ...client.options }];
    const count = await subscribers();
    const one = on(client);
    await using other = on(server.url, {}, { prefix: one.prefix });
    const held = await other.semaphore.acquire("key");
    const waiting = one.semaphore.acquire("key");
    await until("it listens", 5_000, async () => (await subscribers()) === count + 1);
    await held.release();
    await (await waiting).release();
    await one.store.close();
    await until("it listens no more", 5_000, async () => (await subscribers()) === count);
    expect([client.eventNames(), Object.keys(client), { ...client.options }]).toEqual(before);
    expect(await client.ping()).toBe("PONG");
    client.disconnect();
  });

  test("may put a prefix of its own before every key, and hears all the same", async () => {
    const client = connect(server.url);
    client.options.keyPrefix = "mine:";
    const count = await subscribers();
    await using one = on(client, { lease: "10m" });
    await using other = on(client, { lease: "10m" }, { prefix: one.prefix });
    const held = await other.semaphore.acquire("key");
    expect(await redis.exists(`mine:${one.prefix}:semaphore:key`)).toBe(1);
    const waiting = one.semaphore.acquire("key");
    await until("it listens", 5_000, async () => (await subscribers()) === count + 1);
    const channels = (await redis.pubsub("CHANNELS", `*${one.prefix}*`)) as string[];
    expect(channels).toEqual([
      expect.stringMatching(new RegExp(`^${one.prefix}:semaphore:news:[0-9a-f]{16}$`)),
    ]);
    await held.release();
    await waiting;
    client.disconnect();
  });

  test("may hand over numbers as text", async () => {
    const client = connect(server.url);
    client.options.stringNumbers = true;
    await client.connect().catch(() => {});
    await using one = on(client);
    const lease = await one.semaphore.acquire("key");
    expect([typeof lease.token, Number.isSafeInteger(lease.token)]).toEqual(["number", true]);
    expect(lease.expiresInMs).toBeGreaterThan(20_000);
    const waiting = one.semaphore.acquire("key");
    expect(await one.semaphore.peek("key")).toEqual({ capacity: 1, inUse: 1, waiting: 1 });
    await lease.release();
    expect((await waiting).token).toBeGreaterThan(lease.token);
    client.disconnect();
  });
});

test("a client that can't make another one lets its waiters ask again instead of listening", async () => {
  await using one = on(new RecordingClient(redis));
  await using other = on(server.url, {}, { prefix: one.prefix });
  const held = await other.semaphore.acquire("key");
  const waiting = one.semaphore.acquire("key");
  await arranged(other.semaphore, 1, 1);
  const count = await subscribers();
  await held.release();
  await waiting;
  expect(await subscribers()).toBe(count);
});

describe("something foreign under the key", () => {
  test.each<[string, RegExp, (key: string) => Promise<unknown>]>([
    ["string", /WRONGTYPE/, (key) => redis.set(key, "5")],
    ["list", /WRONGTYPE/, (key) => redis.rpush(key, "1", "2")],
    ["hash", /WRONGTYPE/, (key) => redis.hset(key, "inUse", "5")],
    ["set", /WRONGTYPE/, (key) => redis.sadd(key, "1")],
    ["stream", /WRONGTYPE/, (key) => redis.xadd(key, "*", "a", "1")],
    [
      "sorted set",
      /ERR the key does not hold a semaphore/,
      (key) => redis.zadd(key, 1, "a", -2, "b", 10 ** 13, "c"),
    ],
  ])("such as a %s is a StoreError whatever is asked, and stays as it is", async (_, problem, plant) => {
    await using one = on(redis);
    const key = `${one.prefix}:semaphore:key`;
    await plant(key);
    const before = await redis.dump(key);
    for (const ask of [
      () => one.semaphore.acquire("key", { timeout: 0 }),
      () => one.semaphore.acquire("key"),
      () => one.semaphore.run("key", () => expect.unreachable()),
      () => one.semaphore.peek("key"),
    ]) {
      const error = await ask().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: "StoreError", store: "redis", operation: "arrange" });
      expect((error as Error).message).toMatch(/^The redis store failed to arrange: /);
      expect((error as Error).message).toMatch(problem);
    }
    expect([await redis.dump(key), await redis.pttl(key)]).toEqual([before, -1]);
  });

  test("does not get anybody past the limit, whatever the policy", async () => {
    await using one = on(redis, {}, { onUnavailable: "allow" });
    await redis.set(`${one.prefix}:semaphore:key`, "5");
    await expect(one.semaphore.acquire("key")).rejects.toSatisfy(isStoreError);
    await one.semaphore.acquire("other");
  });
});

describe("closing a store", () => {
  test("ends the waits with a StoreError at once, and their places are free for others", async () => {
    const one = on(server.url);
    await using other = on(server.url, {}, { prefix: one.prefix });
    const held = await other.semaphore.acquire("key");
    const waiting = [1, 2, 3].map(() => one.semaphore.acquire("key").catch((error: unknown) => error));
    await arranged(other.semaphore, 1, 3);
    const before = performance.now();
    await one.store.close();
    for (const error of await Promise.all(waiting)) {
      expect(isStoreError(error)).toBe(true);
      expect((error as Error).message).toBe("The redis store failed to arrange: it is closed");
    }
    expect(performance.now() - before).toBeLessThan(1_250);
    expect(await other.semaphore.peek("key")).toMatchObject({ inUse: 1, waiting: 0 });
    await held.release();
    await other.semaphore.acquire("key", { timeout: 0 });
  });

  test("ends the waits that are on their way as well", async () => {
    const one = on(server.url);
    await using other = on(server.url, {}, { prefix: one.prefix });
    const held = await other.semaphore.acquire("key");
    await one.semaphore.peek("key");
    const waiting = one.semaphore.acquire("key").catch((error: unknown) => error);
    await Promise.all([one.store.close(), one.store.close()]);
    expect(isStoreError(await waiting)).toBe(true);
    await arranged(other.semaphore, 1, 0);
    await held.release();
  });

  test("leaves what is held until its lease ends, of which the holder learns", async () => {
    const one = on(server.url, { lease: "600ms" });
    await using other = on(server.url, {}, { prefix: one.prefix });
    const lease = await one.semaphore.acquire("key");
    await one.store.close();
    expect(lease.signal.aborted).toBe(false);
    expect(await other.semaphore.peek("key")).toMatchObject({ inUse: 1 });
    await expect(lease.renew()).rejects.toThrow("it is closed");
    await until("the loss is known", 5_000, () => lease.signal.aborted);
    await lease.release();
    await (await other.semaphore.acquire("key")).release();
    await expect(one.semaphore.acquire("key")).rejects.toThrow("it is closed");
  });

  test("leaves nothing unhandled when a lease is released after it", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const one = on(server.url);
    {
      await using _lease = await one.semaphore.acquire("key");
      await one.store.close();
    }
    const late = on(server.url);
    const lease = await late.semaphore.acquire("key");
    await late.store.close();
    await expect(lease.release()).rejects.toThrow("it is closed");
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});
