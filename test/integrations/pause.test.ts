import { randomInt, randomUUID } from "node:crypto";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, test } from "vitest";
import { MemoryStore, perDay } from "../../src/index.js";
import { MOST_PAUSE_MS, PAUSES, Pause } from "../../src/integrations/pause.js";
import { RedisStore } from "../../src/redis.js";
import { ManualClock } from "../../src/testing.js";

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

function started() {
  const clock = new ManualClock();
  const store = new MemoryStore({ clock });
  return {
    clock,
    store,
    pause: (ms: number) => store.decide(PAUSES, "key", ms, Number.POSITIVE_INFINITY).resetAfterMs,
    left: () => store.decide(PAUSES, "key", 0, 0).resetAfterMs,
  };
}

describe("a pause", () => {
  test("lasts as long as it was charged, and then nothing is left of it", () => {
    const { clock, store, pause, left } = started();
    expect(left()).toBe(0);
    expect(pause(1_000)).toBe(1_000);
    clock.advance(999);
    expect(left()).toBe(1);
    clock.advance(1);
    expect(left()).toBe(0);
    expect(store.decide(PAUSES, "key", 0, 0)).toMatchObject({ remaining: MOST_PAUSE_MS, retryAfterMs: 0 });
  });

  test("is never shortened by another, and becomes as long as the longest", () => {
    const { clock, pause, left } = started();
    pause(1_000);
    clock.advance(300);
    expect(pause(100)).toBe(700);
    expect(pause(2_000)).toBe(2_000);
    expect(left()).toBe(2_000);
  });

  test("is a day long at most", () => {
    const { clock, pause, left } = started();
    expect(pause(Number.MAX_SAFE_INTEGER)).toBe(86_400_000);
    clock.advance(86_400_000);
    expect(left()).toBe(0);
  });

  test("goes by with time, in both directions", () => {
    const numbers = Float64Array.of(7, 1_000, 7);
    const pause = new Pause(perDay(1));
    pause.advance(numbers, 1, 5_000, 5_400);
    expect([...numbers]).toEqual([7, 600, 7]);
    pause.advance(numbers, 1, 5_400, 5_300);
    expect([...numbers]).toEqual([7, 700, 7]);
    pause.advance(numbers, 1, 5_300, 9_000);
    expect([...numbers]).toEqual([7, 0, 7]);
  });

  test("begins anew, and no longer than it was, when the clock is set back beyond it", () => {
    const { clock, pause, left } = started();
    pause(5_000);
    clock.set(clock.now() - MOST_PAUSE_MS - 1);
    expect(left()).toBe(5_000);
    expect(pause(1_000)).toBe(5_000);
    clock.advance(5_000);
    expect(left()).toBe(0);
  });
});

interface Step {
  readonly laterMs: number;
  readonly cost: number;
  readonly maxWaitMs: number;
}

/** Costs that pause, ask, give back and are refused, and a clock that is set back now and then. */
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    laterMs: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: -3_000, max: -1 }) },
      { weight: 1, arbitrary: fc.constantFrom(MOST_PAUSE_MS, -MOST_PAUSE_MS, -MOST_PAUSE_MS - 5_000) },
    ),
    cost: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: -2_000, max: 4_000 }) },
      { weight: 1, arbitrary: fc.constantFrom(0, MOST_PAUSE_MS, MOST_PAUSE_MS + 1, Number.MAX_SAFE_INTEGER) },
    ),
    maxWaitMs: fc.constantFrom(0, 0, 1_000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
  }),
  { maxLength: 80 },
);

/** A charge of nothing, in any case, renews a record that the clock was set back from: it once did so on Redis only. */
const CHARGED_AFTER_A_STEP_BACK: Step[] = [
  { laterMs: 0, cost: 1, maxWaitMs: 0 },
  { laterMs: -MOST_PAUSE_MS - 5_000, cost: 0, maxWaitMs: Number.POSITIVE_INFINITY },
  { laterMs: 1, cost: 0, maxWaitMs: 0 },
];

/** A charge of nothing drops a record that is over, before the clock is set back to where it would lock the key out: once on Redis only. */
const OVER_BEFORE_A_STEP_BACK: Step[] = [
  { laterMs: MOST_PAUSE_MS, cost: 1, maxWaitMs: 0 },
  { laterMs: 1, cost: 0, maxWaitMs: Number.POSITIVE_INFINITY },
  { laterMs: -MOST_PAUSE_MS, cost: 1, maxWaitMs: 0 },
];

test("pauses on Redis are those in memory, field by field", { timeout: 60_000 }, async () => {
  const same = fc.asyncProperty(steps, async (all) => {
    const clock = new ManualClock();
    const memory = new MemoryStore({ clock });
    const store = new RedisStore(redis, { clock, prefix: `pause:${randomUUID()}`, deadline: "20s" });
    for (const { laterMs, cost, maxWaitMs } of all) {
      clock.set(Math.max(0, clock.now() + laterMs));
      const expected = memory.decide(PAUSES, "key", cost, cost < 0 ? 0 : maxWaitMs);
      expect(await store.decide(PAUSES, "key", cost, cost < 0 ? 0 : maxWaitMs)).toEqual(expected);
    }
    await store.reset(PAUSES, "key");
  });
  await fc.assert(same, {
    seed: randomInt(2 ** 31),
    numRuns: 60,
    examples: [[CHARGED_AFTER_A_STEP_BACK], [OVER_BEFORE_A_STEP_BACK]],
  });
});

test("pauses on Redis that are set at once come to the longest, and their key has a TTL", async () => {
  const prefix = randomUUID();
  const store = new RedisStore(redis, { prefix, deadline: "20s" });
  await Promise.all(
    [700, 5_000, 5_000, 20].map((ms) => store.decide(PAUSES, "key", ms, Number.POSITIVE_INFINITY)),
  );
  const { resetAfterMs } = await store.decide(PAUSES, "key", 0, 0);
  expect(resetAfterMs).toBeLessThanOrEqual(5_000);
  expect(resetAfterMs).toBeGreaterThan(700);
  expect(await redis.pttl(`${prefix}:${PAUSES.id}:key`)).toBeLessThanOrEqual(6_000);
  await store.reset(PAUSES, "key");
});
