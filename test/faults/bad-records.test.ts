import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, test } from "vitest";
import {
  type AlgorithmName,
  isStoreError,
  Limiter,
  MemoryStore,
  type RateLimitState,
  Throttled,
} from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";
import { POLICIES, type Policy } from "./rig.js";

const ALGORITHMS: readonly AlgorithmName[] = [
  "fixed-window",
  "sliding-window",
  "token-bucket",
  "leaky-bucket",
  "gcra",
];
const PERIOD_MS = 60_000;
const HUGE = "9".repeat(400);
const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

/** What somebody else may have put at a key, by one command whose first argument is that key. */
const FOREIGN: readonly (readonly [string, string, readonly string[]])[] = [
  ["a list", "RPUSH", ["1"]],
  ["a hash", "HSET", ["field", "1"]],
  ["a set", "SADD", ["1"]],
  ["a sorted set", "ZADD", ["1", "1"]],
  ["a stream", "XADD", ["*", "field", "1"]],
  ["nothing", "SET", [""]],
  ["a space", "SET", [" "]],
  ["a word", "SET", ["garbage"]],
  ["JSON", "SET", ['{"tokens":1}']],
  ["one number", "SET", ["1"]],
  ["many numbers", "SET", ["1 2 3 4 5 6 7"]],
  ["negative numbers", "SET", ["-1 -1 -1 -1"]],
  ["fractions", "SET", ["1.5 1.5 1.5 1.5"]],
  ["what Lua takes for numbers", "SET", ["nan inf 0x10 1e3"]],
  ["bytes", "SET", ["\0\u0001\r\n"]],
];

/** Records with numbers that no limiter writes: the moment, and the state. */
const IMPOSSIBLE: readonly (readonly [string, (now: number) => readonly [string, string]])[] = [
  ["a state beyond all bounds", (now) => [`${now}`, HUGE]],
  ["a state that no longer fits 64 bits", (now) => [`${now}`, "9".repeat(26)]],
  ["a state above 2^53", (now) => [`${now}`, "9007199254740993"]],
  ["a moment beyond all bounds", () => [HUGE, "5"]],
  ["a moment and a state beyond all bounds", () => [HUGE, HUGE]],
  ["a moment ten years ahead", (now) => [`${now + 315_360_000_000}`, "5"]],
];

function bench(policy: Policy, using: AlgorithmName): { throttle: Throttled<RedisStore>; key: string } {
  const prefix = randomUUID();
  const onUnavailable = policy === "fallback" ? new MemoryStore() : policy;
  const store = new RedisStore(redis, { prefix, onUnavailable });
  const throttle = new Throttled({ store, using, quota: "5/m", key: "key" });
  return { throttle, key: `${prefix}:${new Limiter(using, "5/m").id}:key` };
}

describe.each(ALGORITHMS)("With %s, never mind the policy,", (using) => {
  test.each(FOREIGN)("%s at the key is a StoreError", async (_what, command, args) => {
    for (const policy of POLICIES) {
      const { throttle, key } = bench(policy, using);
      await redis.call(command, key, ...args);
      const calls = [
        throttle.limit(),
        throttle.limit("key", { timeout: "1h" }),
        throttle.peek(),
        throttle.refund(),
      ];
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({ status: "rejected", reason: { name: "StoreError" } });
      }
      await throttle.reset();
      expect(await throttle.limit()).toMatchObject({ limited: false, source: "store", remaining: 4 });
      await redis.del(key);
    }
  });

  test.each(IMPOSSIBLE)("%s is a StoreError, or denied for one refill at most", async (_what, record) => {
    for (const policy of POLICIES) {
      const { throttle, key } = bench(policy, using);
      const [moment, state] = record(Date.now());
      const value = `${moment} ${using === "sliding-window" ? `${state} ${state} 0` : state}`;
      for (const call of [() => throttle.limit(), () => throttle.peek()]) {
        await redis.set(key, value, "PX", PERIOD_MS);
        await expectErrorOrDenial(call);
      }
      await redis.del(key);
    }
  });
});

async function expectErrorOrDenial(call: () => Promise<RateLimitState>): Promise<void> {
  const state = await call().catch((error) => {
    expect(isStoreError(error), String(error)).toBe(true);
  });
  if (state === undefined) return;
  expect(state).toMatchObject({ limit: 5, remaining: 0 });
  for (const [ms, most] of [
    [state.retryAfterMs, PERIOD_MS + 1],
    [state.resetAfterMs, 2 * PERIOD_MS],
  ] as const) {
    expect(Number.isSafeInteger(ms)).toBe(true);
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThanOrEqual(most);
  }
}
