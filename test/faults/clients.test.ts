import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { describe, expect, inject, test } from "vitest";
import { isStoreError, MemoryStore, Throttled } from "../../src/index.js";
import { type RedisClient, RedisStore } from "../../src/redis.js";
import { observe, observeAll, watchProcess } from "./observe.js";
import { IN_TIME_MS, LIMIT, POLICIES, type Policy } from "./rig.js";

const { port } = new URL(inject("redisUrl"));

function throttleOn(client: RedisClient, policy: Policy): Throttled<RedisStore> {
  const onUnavailable = policy === "fallback" ? new MemoryStore() : policy;
  const store = new RedisStore(client, { prefix: randomUUID(), onUnavailable });
  return new Throttled({ store, quota: `${LIMIT}/h`, key: "key" });
}

const saying = (answer: () => unknown): RedisClient => {
  const say = async (): Promise<unknown> => answer();
  return { evalsha: say, eval: say, del: say };
};

describe("A client that answers nonsense is a StoreError, whatever the policy:", () => {
  test.each([
    ["undefined", undefined],
    ["null", null],
    ["nothing", ""],
    ["OK", "OK"],
    ["a number", 1],
    ["an empty list", []],
    ["a list of lists", [[]]],
    ["an object", {}],
    ["too few numbers", "0 0 5 0"],
    ["too many numbers", "0 0 5 0 0 0"],
    ["NaN", "NaN NaN NaN NaN NaN"],
    ["fractions", "0 0 1.5 0 0"],
    ["a quota that there is none of", "0 7 5 0 0"],
    ["what the script of another version may say", "2 0 5 0 0"],
    ["numbers beyond all bounds", `0 0 5 ${"9".repeat(30)} 0`],
  ])("%s", async (_what, answer) => {
    for (const policy of POLICIES) {
      const throttle = throttleOn(
        saying(() => answer),
        policy,
      );
      for (const call of [() => throttle.limit(), () => throttle.peek(), () => throttle.refund()]) {
        expect(isStoreError((await observe<unknown>(call)).error)).toBe(true);
      }
    }
  });
});

describe("A client that fails in its own way is an outage:", () => {
  const throwing = (): never => {
    throw new Error("not now");
  };
  test.each<[string, RedisClient]>([
    ["it throws at once", { evalsha: throwing, eval: throwing, del: throwing }],
    ["it rejects with a text", saying(() => Promise.reject("not now"))],
    ["it rejects with nothing", saying(() => Promise.reject())],
    ["it never answers", saying(() => new Promise(() => {}))],
  ])("%s", async (_what, client) => {
    const watch = watchProcess();
    const outcomes = await observeAll(POLICIES.map((policy) => () => throttleOn(client, policy).limit()));
    for (const { ms } of outcomes) expect(ms).toBeLessThanOrEqual(IN_TIME_MS);
    expect(outcomes).toMatchObject([
      {
        error: {
          name: "StoreError",
          message: expect.stringMatching(/^The redis store failed to decide: ./),
        },
      },
      { result: { limited: false, source: "policy" } },
      { result: { limited: true, source: "policy" } },
      { result: { limited: false, source: "fallback" } },
    ]);
    watch.stop();
    expect(watch.problems).toEqual([]);
  });
});

describe.each([
  ["6", (options: object) => new Redis({ port: Number(port), ...options })],
  ["5", (options: object) => new Redis5({ port: Number(port), ...options })],
])("A client of ioredis %s", (_version, make) => {
  test.each([
    ["with its defaults", {}],
    ["that connects when it is first used", { lazyConnect: true }],
    ["that prefixes its keys", { keyPrefix: "mine:" }],
    ["that pipelines by itself", { enableAutoPipelining: true }],
    ["that shows numbers as text", { stringNumbers: true }],
    ["that speaks RESP2", { protocol: 2 }],
    ["that maps replies as RESP3", { protocol: 3, replyMapping: "resp3" }],
  ])("%s serves, and the store never closes it", async (_what, options) => {
    const client = make(options);
    for (const policy of POLICIES) {
      const throttle = throttleOn(client, policy);
      const results = await Promise.all(Array.from({ length: 20 }, () => throttle.limit()));
      expect(results.filter(({ limited }) => !limited)).toHaveLength(LIMIT);
      expect(new Set(results.map(({ source }) => source))).toEqual(new Set(["store"]));
      await throttle.store.close();
      expect(client.status).toBe("ready");
    }
    client.disconnect();
  });
});
