import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, afterEach, describe, expect, inject, test, vi } from "vitest";
import { type AlgorithmName, type Decision, Limiter, Throttled } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { ManualClock } from "../../../src/testing.js";
import { ALGORITHMS, BUCKETS } from "../../support/algorithms.js";
import { serverTime } from "../../support/server-time.js";

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
const LIMIT = 5;

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());
afterEach(() => vi.restoreAllMocks());

/** Shows this process every clock that it could read as wrong by `ms`. */
function skewClocks(ms: number): void {
  const wall = Date.now.bind(Date);
  const monotonic = performance.now.bind(performance);
  vi.spyOn(Date, "now").mockImplementation(() => wall() + ms);
  vi.spyOn(performance, "now").mockImplementation(() => monotonic() + ms);
}

/** The moment at which a key will be fresh, between the earliest and the latest that it can be. */
async function freshAt(decide: () => Promise<Decision>): Promise<[number, number]> {
  const before = await serverTime(redis);
  const { resetAfterMs } = await decide();
  return [before + resetAfterMs, (await serverTime(redis)) + resetAfterMs];
}

test("a decision is made in the millisecond in which the server is, not in the next", async () => {
  const limiter = new Limiter("fixed-window", "1000/h");
  const store = new RedisStore(redis, { prefix: randomUUID() });
  for (let call = 0; call < 100; call++) {
    const before = await serverTime(redis);
    const { resetAfterMs } = await store.decide(limiter, "key", 1, 0);
    const after = await serverTime(redis);
    const elapsedMs = HOUR_MS - resetAfterMs - (before % HOUR_MS);
    expect((elapsedMs + HOUR_MS) % HOUR_MS).toBeLessThanOrEqual(after - before);
  }
});

describe.each(ALGORITHMS)("regression: client clocks deciding, %s", (using: AlgorithmName) => {
  test.each([
    ["an hour fast", HOUR_MS],
    ["an hour slow", -HOUR_MS],
    ["two weeks fast", 2 * WEEK_MS],
    ["two weeks slow", -2 * WEEK_MS],
  ])("a client whose clocks are %s gets the same answers", async (_, skewMs) => {
    const prefix = randomUUID();
    const limiter = new Limiter(using, `${LIMIT}/w`);
    const right = new RedisStore(redis, { prefix });
    const wrong = new RedisStore(redis, { prefix });
    for (let left = LIMIT - 1; left >= 0; left--) {
      expect(await right.decide(limiter, "key", 1, 0)).toMatchObject({ limited: false, remaining: left });
    }
    const [earliest, latest] = await freshAt(() => right.decide(limiter, "key", 0, 0));

    skewClocks(skewMs);
    const peek = () => wrong.decide(limiter, "key", 0, 0);
    const [earliestSeen, latestSeen] = await freshAt(peek);
    expect(latestSeen).toBeGreaterThanOrEqual(earliest);
    expect(earliestSeen).toBeLessThanOrEqual(latest);
    expect(await peek()).toMatchObject({ remaining: 0, limited: false });
    expect(await wrong.decide(limiter, "key", 1, 0)).toMatchObject({ limited: true, remaining: 0 });

    // Nor does what it writes move the state in time.
    await wrong.decide(limiter, "key", -1, 0);
    vi.restoreAllMocks();
    expect(await right.decide(limiter, "key", 1, 0)).toMatchObject({ limited: false, remaining: 0 });
    expect(await right.decide(limiter, "key", 1, 0)).toMatchObject({ limited: true });
  });

  test("a client whose clocks step while it waits gets its turn when the server says", async () => {
    const store = new RedisStore(redis, { prefix: randomUUID() });
    const throttle = new Throttled({ using, store, quota: "1/200ms", key: "key", timeout: "10s" });
    await throttle.limit();
    const before = await serverTime(redis);
    const { retryAfterMs } = await throttle.limit("key", { timeout: 0 });
    const waiting = throttle.limit();
    vi.spyOn(Date, "now").mockReturnValue(0);
    expect(await waiting).toMatchObject({ limited: false });
    expect(await serverTime(redis)).toBeGreaterThanOrEqual(before + retryAfterMs);
  });
});

describe("regression: whole-second clocks", () => {
  test.each(BUCKETS)("%s does not refill when a second begins", async (using) => {
    const clock = new ManualClock(1_700_000_000_999);
    const store = new RedisStore(redis, { prefix: randomUUID(), clock });
    const limiter = new Limiter(using, "10/s");
    await store.decide(limiter, "key", 10, 0);
    clock.advance(1);
    expect(await store.decide(limiter, "key", 1, 0)).toMatchObject({ limited: true, retryAfterMs: 99 });
    clock.advance(99);
    expect(await store.decide(limiter, "key", 2, 0)).toMatchObject({ limited: true, remaining: 1 });
  });

  test.each(BUCKETS)("%s refills what a fraction of a second brings", async (using) => {
    const store = new RedisStore(redis, { prefix: randomUUID() });
    const limiter = new Limiter(using, "1000/s burst 1");
    await store.decide(limiter, "key", 1, 0);
    const { limited, retryAfterMs, resetAfterMs } = await store.decide(limiter, "key", 1, 0);
    expect(retryAfterMs).toBeLessThanOrEqual(limited ? 1 : 0);
    expect(resetAfterMs).toBeLessThanOrEqual(1);
  });

  test.each(["fixed-window", "sliding-window"] as const)(
    "%s has windows of less than a second",
    async (using) => {
      const store = new RedisStore(redis, { prefix: randomUUID() });
      const { resetAfterMs } = await store.decide(new Limiter(using, "5/100ms"), "key", 5, 0);
      expect(resetAfterMs).toBeLessThanOrEqual(200);
    },
  );
});
