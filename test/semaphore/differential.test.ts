import fc from "fast-check";
import { expect, inject, test } from "vitest";
import { MemoryStore, type SemaphoreRequest, type Standing } from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";
import { ManualClock } from "../../src/testing.js";

const STEPS = 60;

const step = fc.record({
  pauseMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -400, max: 700 })),
  act: fc.constantFrom<SemaphoreRequest["act"]>("acquire", "wait", "wait", "renew", "release", "release"),
  who: fc.nat(7),
  permits: fc.integer({ min: 1, max: 4 }),
  capacity: fc.constantFrom(3, 3, 3, 1, 5),
  maxWaiting: fc.constantFrom(100, 100, 2, 0),
  peek: fc.boolean(),
});

/** What somebody was told later, in order. */
type Told = [id: string, status: Standing["status"], token: number];

test("Redis and memory arrange a semaphore alike, step by step and token by token", async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: STEPS, size: "max" }), async (steps) => {
      const clock = new ManualClock(1_700_000_000_000);
      const memory = new MemoryStore({ clock });
      const prefix = `semaphore-${process.pid}-${Date.now()}-${run++}`;
      await using redis = new RedisStore(inject("redisUrl"), { clock, prefix });
      const told: { memory: Told[]; redis: Told[] } = { memory: [], redis: [] };
      const permitsOf = new Map<string, number>();
      for (const { pauseMs, act, who, permits, capacity, maxWaiting, peek } of steps) {
        clock.set(clock.now() + pauseMs);
        const id = `w${who}`;
        // Whoever asks again asks for as many as before.
        if (!permitsOf.has(id)) permitsOf.set(id, permits);
        const rules = { capacity, maxWaiting };
        const request = (to: Told[]): SemaphoreRequest => ({
          act,
          id,
          permits: permitsOf.get(id)!,
          leaseMs: 1_000 + 100 * who,
          ...(act === "wait" && {
            onNews: (news) => news && "status" in news && to.push([id, news.status, news.token]),
          }),
        });
        const expected = memory.arrange("key", rules, peek ? undefined : request(told.memory));
        expect(await redis.arrange("key", rules, peek ? undefined : request(told.redis))).toEqual(expected);
        expect(told.redis).toEqual(told.memory);
      }
    }),
    { numRuns: 150, endOnFailure: true },
  );
}, 60_000);
