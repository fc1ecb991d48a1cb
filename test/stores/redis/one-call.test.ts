import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Limiter, Throttled } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { ALGORITHMS } from "../../support/algorithms.js";
import { everyCall } from "../../support/every-call.js";
import { RecordingClient } from "../../support/recording-client.js";
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

/** How often each command ran since the statistics were last reset, those inside scripts included. */
async function commandCalls(): Promise<Record<string, number>> {
  const lines = (await redis.info("commandstats")).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return Object.fromEntries([...lines].map(([, name, calls]) => [name, Number(calls)]));
}

describe.each(ALGORITHMS)("%s", (using) => {
  test.each(["5/h", "5/h; 50/d; 500/w"])(
    "decides under %s with one key and one script call",
    async (quota) => {
      const client = new RecordingClient(redis);
      const store = new RedisStore(client);
      const limiter = new Limiter(using, quota);
      await store.decide(limiter, "another", 0, 0);
      await redis.config("RESETSTAT");
      client.sent.length = 0;

      let decisions = 0;
      for await (const { kind } of everyCall(store, limiter, "user:42")) {
        decisions++;
        expect(client.sent, kind).toHaveLength(decisions);
        expect(await redis.dbsize(), kind).toBeLessThanOrEqual(1);
      }

      expect(new Set(client.sent.map(({ name }) => name))).toEqual(new Set(["evalsha"]));
      expect(new Set(client.sent.map(({ keys }) => keys.length))).toEqual(new Set([1]));
      expect(new Set(client.sent.map(({ keys }) => keys[0]))).toHaveLength(1);
      const { evalsha, time, get, ...others } = await commandCalls();
      expect({ evalsha, time, get }).toEqual({ evalsha: decisions, time: decisions, get: decisions });
      for (const command of Object.keys(others)) {
        expect(["set", "del", "dbsize", "info", "config|resetstat"]).toContain(command);
      }
    },
  );

  test("the server's clock is read once in a decision, and not at all with a clock of the caller's", async () => {
    const limiter = new Limiter(using, "5/h; 50/d");
    const store = new RedisStore(redis, { clock: { now: () => 1_700_000_000_000 } });
    await store.decide(limiter, "key", 1, 0);
    await redis.config("RESETSTAT");
    await store.decide(limiter, "key", 1, 0);
    expect(await commandCalls()).not.toHaveProperty("time");
  });
});

test("every way of calling is one script call, and `reset` one deletion", async () => {
  const client = new RecordingClient(redis);
  const throttle = new Throttled({ store: new RedisStore(client), quota: "100/h", key: "key" });
  const calls = {
    limit: () => throttle.limit(),
    peek: () => throttle.peek(),
    acquire: () => throttle.acquire(),
    run: () => throttle.run(() => {}),
    wrap: () => throttle.wrap(() => {})(),
    refund: () => throttle.refund(),
  };
  await throttle.peek();
  for (const [name, call] of Object.entries(calls)) {
    client.sent.length = 0;
    await call();
    expect(
      client.sent.map(({ name }) => name),
      name,
    ).toEqual(["evalsha"]);
  }
  client.sent.length = 0;
  await throttle.limitMany(["a", "b", "c"]);
  expect(client.sent.map(({ name }) => name)).toEqual(["evalsha"]);
  expect(client.sent[0]!.keys).toHaveLength(3);
  client.sent.length = 0;
  await throttle.reset();
  expect(client.sent.map(({ name }) => name)).toEqual(["del"]);
});

describe("regression: two keys on a cluster", () => {
  let node: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    node = await startRedis("--cluster-enabled", "yes");
    client = new Redis(node.url);
    await client.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await vi.waitFor(async () => expect(await client.cluster("INFO")).toContain("cluster_state:ok"), 15_000);
  });
  afterAll(async () => {
    client.disconnect();
    await node.stop();
  });

  test.each(ALGORITHMS)("%s never asks for keys in two slots", async (using) => {
    const store = new RedisStore(client);
    for (const quota of ["5/h", "5/h; 50/d"]) {
      for (const key of ["user:42", "{", "}", "{}", "{a}b", "a{b}{c}", "}{"]) {
        for await (const { kind, decision } of everyCall(store, new Limiter(using, quota), key)) {
          expect(decision.source, `${kind} of ${key}`).toBe("store");
        }
      }
    }
  });

  test("braces in a key do not choose its slot", async () => {
    const limiter = new Limiter("gcra", "5/h");
    const recorder = new RecordingClient(client);
    const store = new RedisStore(recorder);
    for (let i = 0; i < 20; i++) await store.decide(limiter, `{tag}${i}`, 1, 0);
    const slots = recorder.sent.map(({ keys }) => client.cluster("KEYSLOT", keys[0]!));
    expect(new Set(await Promise.all(slots)).size).toBeGreaterThan(10);
  });
});
