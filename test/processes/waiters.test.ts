import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type AlgorithmName, Throttled } from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";
import { startRedis } from "../support/redis-server.js";
import { serverTime } from "../support/server-time.js";
import { startWorkers, type Worker } from "../support/worker.js";

interface Report {
  /** In the order in which they went: which of the process's waiters, and when by the clock of this machine. */
  readonly gone: readonly { index: number; limited: boolean; at: number }[];
  readonly left: number;
}

const SCRIPT = new URL("wait-worker.mjs", import.meta.url);
const WAITERS = 200;

const server = await startRedis();
const redis = new Redis(server.url);
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

let workers: Worker[] = [];
beforeEach(() => redis.flushall());
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
});

/** Starts processes that are ready to line up, and counts calls from here on. */
async function line(
  using: AlgorithmName,
  quota: string,
  sizes: readonly number[],
): Promise<Throttled<RedisStore>> {
  const prefix = randomUUID();
  const inputs = sizes.map((waiters) => ({ url: server.url, prefix, using, quota, waiters }));
  workers = await startWorkers(SCRIPT, inputs);
  await redis.config("RESETSTAT");
  return new Throttled({
    using,
    quota,
    store: new RedisStore(redis, { prefix, deadline: "10s" }),
    key: "shared",
  });
}

/** Script calls since `line`. */
async function calls(): Promise<number> {
  const stats = (await redis.info("commandstats")).matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm);
  return [...stats].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function booked(count: number): Promise<void> {
  await vi.waitFor(async () => expect(await calls()).toBeGreaterThanOrEqual(count), {
    timeout: 10_000,
    interval: 5,
  });
}

/** What the workers say, once each has ended by itself. */
async function reports(): Promise<Report[]> {
  const all = await Promise.all(workers.map((worker) => worker.receive<Report>()));
  for (const worker of workers) expect(await worker.ended).toEqual({ code: 0, signal: null, complaints: "" });
  for (const { gone } of all) {
    expect(gone.filter(({ limited }) => limited)).toEqual([]);
    const indexes = gone.map(({ index }) => index);
    expect(indexes, "first come, first served").toEqual([...indexes].sort((one, other) => one - other));
  }
  return all;
}

/** Says that the moments of those who went are those of the line's places from `first` on, or later: never early. */
function expectNeverEarly(moments: readonly number[], start: number, spacingMs: number, first = 0): void {
  [...moments]
    .sort((one, other) => one - other)
    .forEach((at, i) => {
      expect(at, `waiter ${first + i}`).toBeGreaterThanOrEqual(start + (first + i) * spacingMs);
    });
}

describe("waiters of several processes on one Redis key", () => {
  test.each(["token-bucket", "leaky-bucket"] as const)(
    `${WAITERS} of four processes go at the pace of %s, with at most 1.1 store calls each`,
    async (using) => {
      await line(using, "200/s burst 1", [50, 50, 50, 50]);
      const start = await serverTime(redis);
      for (const worker of workers) worker.send("go");
      const moments = (await reports()).flatMap(({ gone }) => gone.map(({ at }) => at));
      expect(moments).toHaveLength(WAITERS);
      expectNeverEarly(moments, start, 5);
      expect(await calls()).toBeLessThanOrEqual(WAITERS * 1.1);
    },
  );

  test("a process that comes later is served later", async () => {
    await line("gcra", "100/s burst 1", [40, 40, 40]);
    const start = await serverTime(redis);
    for (const [i, worker] of workers.entries()) {
      worker.send("go");
      await booked(40 * (i + 1));
    }
    for (const [i, { gone }] of (await reports()).entries()) {
      const moments = gone.map(({ at }) => at);
      expectNeverEarly(moments, start, 10, 40 * i);
    }
  });

  test("when half of them leave, the others of the same process need about half the time", async () => {
    await line("token-bucket", "50/s burst 1", [WAITERS]);
    const start = await serverTime(redis);
    workers[0]!.send("go");
    await booked(WAITERS);
    workers[0]!.send("leave");

    const [{ gone, left }] = (await reports()) as [Report];
    // The first of those who leave may have had their turn before the word came.
    expect(left).toBeGreaterThan(0.4 * WAITERS);
    expect(gone.length + left).toBe(WAITERS);
    expect(await calls()).toBeLessThanOrEqual(1.1 * (WAITERS + left));
    const moments = gone.map(({ at }) => at);
    expectNeverEarly(moments, start, 20);
    // 2 s of 4 s, and more for a machine that is busy with something else.
    expect(Math.max(...moments) - start).toBeLessThan(0.8 * WAITERS * 20);
  });

  test("a process that dies while it waits leaves no more than its own places", async () => {
    const throttle = await line("token-bucket", "20/s burst 1", [20, 3]);
    const [dies, lives] = workers as [Worker, Worker];
    const start = await serverTime(redis);
    dies.send("go");
    await booked(20);
    await dies.kill();
    expect((await throttle.peek()).retryAfterMs).toBeLessThanOrEqual(20 * 50);

    lives.send("go");
    const { gone } = await lives.receive<Report>();
    expectNeverEarly(
      gone.map(({ at }) => at),
      start,
      50,
      20,
    );
    expect(await lives.ended).toMatchObject({ code: 0, signal: null });
    expect((await throttle.peek()).resetAfterMs).toBeLessThanOrEqual(50);
  });
});
