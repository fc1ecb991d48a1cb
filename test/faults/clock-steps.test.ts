import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, test } from "vitest";
import { type AlgorithmName, MemoryStore, type Store, Throttled } from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";
import { ManualClock } from "../../src/testing.js";
import { LIMIT } from "./rig.js";

const HOUR_MS = 3_600_000;
const REFILL_MS = 60_000;
const ALGORITHMS: readonly AlgorithmName[] = [
  "fixed-window",
  "sliding-window",
  "token-bucket",
  "leaky-bucket",
  "gcra",
];

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

const STORES: readonly (readonly [string, (clock: ManualClock) => Store])[] = [
  ["a RedisStore", (clock) => new RedisStore(redis, { clock, prefix: randomUUID() })],
  ["a MemoryStore", (clock) => new MemoryStore({ clock })],
];

/** How many calls pass now. */
async function admitted(throttle: Throttled<Store>): Promise<number> {
  for (let passed = 0; ; passed++) {
    const result = await throttle.limit("key");
    for (const ms of [result.resetAfterMs, result.retryAfterMs]) expect(Number.isSafeInteger(ms)).toBe(true);
    if (result.limited) return passed;
  }
}

describe.each(STORES)("When the clock of %s steps", (_store, create) => {
  describe.each(ALGORITHMS)("under %s", (using) => {
    function bench(): { clock: ManualClock; throttle: Throttled<Store> } {
      const clock = new ManualClock();
      return { clock, throttle: new Throttled({ store: create(clock), using, quota: `${LIMIT}/m` }) };
    }

    test("an hour forward, a key is fresh and no more", async () => {
      const { clock, throttle } = bench();
      expect(await admitted(throttle)).toBe(LIMIT);
      clock.set(clock.now() + HOUR_MS);
      expect(await admitted(throttle)).toBe(LIMIT);
    });

    test("an hour back, a key is used up for one refill at most", async () => {
      const { clock, throttle } = bench();
      expect(await admitted(throttle)).toBe(LIMIT);
      clock.set(clock.now() - HOUR_MS);
      expect(await admitted(throttle)).toBe(0);
      const { retryAfterMs } = await throttle.peek("key");
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(REFILL_MS + 1);
      clock.advance(retryAfterMs);
      expect(await admitted(throttle)).toBeGreaterThan(0);
    });

    test("to and fro, nothing is granted that time did not bring", async () => {
      const { clock, throttle } = bench();
      const start = clock.now();
      expect(await admitted(throttle)).toBe(LIMIT);
      let passed = 0;
      for (let i = 0; i < 10; i++) {
        clock.set(start - HOUR_MS);
        passed += await admitted(throttle);
        clock.set(start);
        passed += await admitted(throttle);
        clock.set(start - REFILL_MS / 2);
        passed += await admitted(throttle);
      }
      // Each hour forward is an hour to the store, and refills the key once.
      expect(passed).toBeLessThanOrEqual(10 * LIMIT);
    });
  });
});
