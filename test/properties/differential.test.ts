import { randomInt, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { afterAll, describe, expect, inject, test } from "vitest";
import { type AlgorithmName, type Booking, Limiter } from "../../src/algorithms/limiter.js";
import { MemoryStore } from "../../src/stores/memory-store.js";
import type { RedisClient } from "../../src/stores/redis/connection.js";
import { RedisStore } from "../../src/stores/redis/redis-store.js";
import { ManualClock } from "../../src/testing/manual-clock.js";
import { visible } from "./player.js";
import { ALGORITHMS, FORWARD, type Program, programs } from "./programs.js";

const LEAST_CALLS = 20_000;
/** More than it takes: their lengths vary. */
const PROGRAMS = 260;

const clients = [new Redis(inject("redisUrl")), new Redis5(inject("redisUrl"))] as const;
afterAll(() => {
  for (const client of clients) client.disconnect();
});

interface Place {
  readonly cost: number;
  readonly memory: Booking;
  readonly redis: Booking;
}

/** Runs a program on a key of a memory store and of a Redis store that go by one clock. */
async function compare(using: AlgorithmName, program: Program, client: RedisClient): Promise<void> {
  const clock = new ManualClock(program.startMs);
  const limiter = new Limiter(using, program.quotas);
  const memory = new MemoryStore({ clock });
  // A machine that stands still for a moment is no difference.
  const redis = new RedisStore(client, { clock, prefix: `differential:${randomUUID()}`, deadline: "20s" });
  const places: Place[] = [];
  for (const { pauseMs, cancel, ...call } of program.steps) {
    clock.set(Math.max(0, clock.now() + pauseMs));
    const [place] = cancel === undefined ? [] : places.splice(-1 - (cancel % places.length), 1);
    const { cost, maxWaitMs } = place === undefined ? call : { cost: -place.cost, maxWaitMs: 0 };
    const expected = memory.decide(limiter, "key", cost, maxWaitMs, place?.memory);
    const actual = await redis.decide(limiter, "key", cost, maxWaitMs, place?.redis);
    if (!isDeepStrictEqual(visible(actual), visible(expected))) {
      expect(visible(actual)).toEqual(visible(expected));
    }
    if (expected.booking !== undefined) {
      places.push({ cost, memory: expected.booking, redis: actual.booking! });
    }
  }
  await redis.reset(limiter, "key");
}

/** The first of many runs at once that fails, and how. */
async function firstFailure(
  runs: readonly Promise<void>[],
): Promise<{ index: number; reason: unknown } | undefined> {
  const results = await Promise.allSettled(runs);
  const index = results.findIndex(({ status }) => status === "rejected");
  const result = results[index];
  return result?.status === "rejected" ? { index, reason: result.reason } : undefined;
}

describe.each(ALGORITHMS)("%s", (using) => {
  test("Redis and memory answer the same, field by field", { timeout: 120_000 }, async () => {
    const kinds = [...FORWARD, "flood", "step back"] as const;
    const arbitrary = programs(using, { quotas: 3, kinds, steps: 250 });
    const seed = randomInt(2 ** 31);
    const sample: Program[] = [];
    let calls = 0;
    for (const program of fc.sample(arbitrary, { seed, numRuns: PROGRAMS })) {
      if (calls >= LEAST_CALLS) break;
      sample.push(program);
      calls += program.steps.length;
    }
    expect(calls).toBeGreaterThanOrEqual(LEAST_CALLS);
    // All at once, so that the calls of one travel with those of the others.
    const failure = await firstFailure(sample.map((program, i) => compare(using, program, clients[i % 2]!)));
    if (failure === undefined) return;
    const client = clients[failure.index % 2]!;
    const again = fc.asyncProperty(arbitrary, (program) => compare(using, program, client));
    // Fails with the shortest program that shows the difference.
    await fc.assert(again, { seed, path: `${failure.index}` });
    throw failure.reason;
  });
});
