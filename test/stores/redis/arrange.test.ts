import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, expect, inject, test, vi } from "vitest";
import type { SemaphoreRequest } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { ManualClock } from "../../../src/testing.js";

const LEASE_MS = 1_000;
const RULES = { capacity: 2, maxWaiting: 1 };

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

function setUp() {
  const clock = new ManualClock(1_700_000_000_000);
  const store = new RedisStore(redis, { prefix: randomUUID(), clock });
  const ask = (act: SemaphoreRequest["act"], id: string, permits = 1, onNews?: SemaphoreRequest["onNews"]) =>
    store.arrange("key", RULES, { act, id, permits, leaseMs: LEASE_MS, ...(onNews && { onNews }) });
  return { clock, store, ask };
}

const NOTHING = { status: "none", token: 0 };

test("who is refused is told when the first lease ends, and who did not ask for permits is told nothing", async () => {
  const { clock, store, ask } = setUp();
  expect(await ask("acquire", "too many", 3)).toEqual({ ...NOTHING, leftMs: 0, inUse: 0, waiting: 0 });
  await ask("acquire", "first");
  clock.advance(300);
  await ask("acquire", "second");
  expect(await ask("acquire", "third")).toEqual({ ...NOTHING, leftMs: 700, inUse: 2, waiting: 0 });
  expect(await ask("wait", "fourth")).toMatchObject({ status: "waiting", leftMs: LEASE_MS, waiting: 1 });
  expect(await ask("wait", "fifth")).toEqual({ ...NOTHING, leftMs: 700, inUse: 2, waiting: 1 });
  expect(await ask("renew", "nobody")).toEqual({ ...NOTHING, leftMs: 0, inUse: 2, waiting: 1 });
  expect(await ask("release", "nobody")).toEqual({ ...NOTHING, leftMs: 0, inUse: 2, waiting: 1 });
  expect(await store.arrange("key", RULES, undefined)).toEqual({
    ...NOTHING,
    leftMs: 0,
    inUse: 2,
    waiting: 1,
  });
});

test("requests of one moment, with one that only looks among them, are each told what became of them", async () => {
  const { store, ask } = setUp();
  const all = await Promise.all([
    ask("acquire", "first"),
    store.arrange("key", RULES, undefined),
    ask("acquire", "second"),
    ask("acquire", "third"),
  ]);
  expect(all.map(({ status, leftMs }) => [status, leftMs])).toEqual([
    ["held", LEASE_MS],
    ["none", 0],
    ["held", LEASE_MS],
    ["none", LEASE_MS],
  ]);
});

test("who is let in by another one of the same process hears of its token, and how long its lease still holds", async () => {
  const { clock, ask } = setUp();
  const onNews = vi.fn();
  await ask("acquire", "first", 2);
  clock.advance(100);
  const { token } = await ask("wait", "second", 2, onNews);
  clock.advance(250);
  await ask("release", "first", 2);
  expect(onNews).toHaveBeenCalledTimes(1);
  const [news] = onNews.mock.calls[0]!;
  expect(news).toMatchObject({ status: "held", token });
  // By the clock of the store, and what passed meanwhile of real time.
  expect(news.leftMs).toBeGreaterThan(LEASE_MS - 250 - 200);
  expect(news.leftMs).toBeLessThanOrEqual(LEASE_MS - 250);
});
