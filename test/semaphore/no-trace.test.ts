import { getEventListeners } from "node:events";
import { queryObjects } from "node:v8";
import { afterEach, describe, expect, test, vi } from "vitest";
import { LimitedError, MemoryStore, Semaphore, SemaphoreState, Throttled } from "../../src/index.js";
import { Keeper } from "../../src/semaphore/keeper.js";
import { turn } from "../support/manual-time.js";
import { onManualClock } from "../support/semaphores.js";

const KEYS = 2_000;

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** How many objects of a class there are. */
const count = (of: { new (...args: never[]): object }): number => queryObjects(of, { format: "count" });

describe("after use", () => {
  test("of many keys nothing is left of any: no timer, no keeper, no state", async () => {
    const { semaphore, clock, store } = onManualClock({ capacity: 1, timeout: "1h" });
    await turn();
    const before = [count(Keeper), count(SemaphoreState)];
    for (let i = 0; i < KEYS; i++) {
      const held = await semaphore.acquire(`key ${i}`);
      if (i % 3 === 0) await semaphore.acquire(held.key, { timeout: 0 }).catch(() => {});
      const leave = new AbortController();
      const waiting = semaphore.acquire(held.key, { signal: leave.signal });
      if (i % 2 === 0) leave.abort(new Error("enough"));
      await held.release();
      await waiting.then(
        (lease) => lease.release(),
        () => {},
      );
      if (i % 5 === 0) await semaphore.peek(held.key);
    }
    await turn();
    expect(clock.sleepers).toBe(0);
    expect([count(Keeper), count(SemaphoreState)]).toEqual(before);
    expect(store.size).toBe(0);
  });

  test("of a signal by many calls no listener is left, and while they wait there is one", async () => {
    const { semaphore } = onManualClock({ capacity: 1, timeout: "1h" });
    const { signal } = new AbortController();
    const calls = Array.from({ length: 100 }, () => semaphore.run("key", () => turn(), { signal }));
    await expect(semaphore.acquire("key", { signal, timeout: 0 })).rejects.toThrow(LimitedError);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await Promise.all(calls);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("of no signal anything is remembered, by a limiter or a semaphore, whether calls were answered, waited or were aborted", async () => {
    const limiter = new Throttled({ quota: "500/s burst 1", store: new MemoryStore() });
    const semaphore = new Semaphore({ capacity: 1, store: new MemoryStore(), timeout: "1h" });
    const reason = new Error("enough");
    const use = async (round: number): Promise<void> => {
      const signals = Array.from({ length: 3 }, () => new AbortController());
      const [answered, waited, aborted] = signals.map(({ signal }) => signal);
      const key = `round ${round}`;
      await limiter.limit(key, { signal: answered! });
      await limiter.limit(key, { signal: waited!, timeout: "1s" });
      const lease = await semaphore.acquire(key);
      const next = semaphore.acquire(key, { signal: waited! });
      const never = semaphore.acquire(key, { signal: aborted! });
      signals[2]!.abort(reason);
      await expect(never).rejects.toBe(reason);
      await lease.release();
      await (await next).release();
    };
    await use(0);
    const before = count(AbortSignal);
    for (let round = 1; round <= 20; round++) await use(round);
    expect(count(AbortSignal) - before).toBeLessThan(20);
  });

  test("no real timer is left either", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const semaphore = new Semaphore({ capacity: 1, store: new MemoryStore(), timeout: "52w" });
    const held = await semaphore.acquire("key");
    const waiting = semaphore.acquire("key");
    const leave = new AbortController();
    const leaving = semaphore.acquire("key", { signal: leave.signal });
    leave.abort(new Error("enough"));
    await expect(leaving).rejects.toThrow("enough");
    // One renews, and one is that of the call that waits.
    expect(vi.getTimerCount()).toBe(2);
    await held.release();
    await (await waiting).release();
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("many who hold and wait for a key share one timer that renews", async () => {
  const { semaphore, clock } = onManualClock({ capacity: 50 });
  const leases = await Promise.all(Array.from({ length: 50 }, () => semaphore.acquire("key")));
  expect(clock.sleepers).toBe(1);
  await Promise.all(leases.map((lease) => lease.release()));
  expect(clock.sleepers).toBe(0);
});
