import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, test } from "vitest";
import { type AlgorithmName, type Booking, Limiter } from "../../src/algorithms/limiter.js";
import { RedisStore } from "../../src/redis.js";
import { MemoryStore } from "../../src/stores/memory-store.js";
import { ManualClock } from "../../src/testing/manual-clock.js";

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

const ALGOS = ["fixed-window", "sliding-window", "token-bucket", "leaky-bucket", "gcra"] as const;
const QUOTAS = [
  "10/s",
  "3/s",
  "1/ms",
  "7/m",
  "100/h",
  "3/7ms",
  "1000000/s",
  "5/s; 20/m",
  "2/d; 1/s; 40/w",
  "1/w",
  "5000/s",
  "4500000000000/s",
];

function rng(seed: number) {
  let s = seed >>> 0;
  return (n: number) => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return Math.floor((s / 2 ** 32) * n);
  };
}

describe.each(ALGOS)("%s", (using: AlgorithmName) => {
  test("Redis and memory answer the same, field by field", { timeout: 120_000 }, async () => {
    let ops = 0;
    for (let seed = 1; ops < 20_000; seed++) {
      const pick = rng(seed * 7919);
      const quota = QUOTAS[pick(QUOTAS.length)]!;
      const limiter = new Limiter(using, quota);
      const clock = new ManualClock(1_700_000_000_000 + pick(10_000_000));
      const memory = new MemoryStore({ clock });
      const store = new RedisStore(redis, { clock, prefix: randomUUID() });
      const cap = limiter.capacity(0);
      const period = limiter.quotas[0]!.periodMs;
      const booked: { cost: number; memory: Booking; redis: Booking }[] = [];
      const trace: unknown[] = [quota];
      for (let i = 0; i < 200; i++, ops++) {
        const step = pick(12);
        if (step < 6)
          clock.advance(
            pick(2) ? pick(Math.ceil((period / limiter.quotas[0]!.limit) * 3) + 2) : pick(period),
          );
        if (step === 6) clock.advance(pick(period * 4));
        if (step === 7 && pick(4) === 0)
          clock.set(Math.max(0, clock.now() - pick(pick(2) ? period : period * 20)));
        const kind = pick(20);
        let cost = [0, 1, 1, 1, 2, pick(cap) + 1, cap, cap + 1][pick(8)]!;
        let wait = [0, 0, 0, pick(period), period * 3, period * 50][pick(6)]!;
        let booking: (typeof booked)[number] | undefined;
        if (kind === 0) (cost = -(pick(cap) + 1)), (wait = 0);
        if (kind === 1) wait = Number.POSITIVE_INFINITY;
        if (kind === 2 && pick(10) === 0) (cost = Number.MAX_SAFE_INTEGER), (wait = Number.POSITIVE_INFINITY);
        if (kind >= 17 && booked.length > 0) {
          booking = pick(2) ? booked.pop()! : booked.splice(pick(booked.length), 1)[0]!;
          cost = -booking.cost;
          wait = 0;
        }
        const m = memory.decide(limiter, "k", cost, wait, booking?.memory);
        const r = await store.decide(limiter, "k", cost, wait, booking?.redis);
        trace.push([clock.now(), cost, wait, booking !== undefined]);
        const { booking: mb, ...mr } = m;
        const { booking: rb, ...rr } = r;
        expect({ ...rr, waitMs: rb?.waitMs }, JSON.stringify(trace.slice(-30))).toEqual({
          ...mr,
          waitMs: mb?.waitMs,
        });
        for (const n of [mr.remaining, mr.resetAfterMs]) expect(Number.isSafeInteger(n) && n >= 0).toBe(true);
        if (mb && rb) booked.push({ cost, memory: mb, redis: rb });
      }
    }
  });
});
