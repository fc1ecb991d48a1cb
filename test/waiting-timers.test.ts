import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Clock, MemoryStore, Throttled } from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { pass, turn } from "./support/manual-time.js";

const DAY = 86_400_000;

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Fake timers and a store that goes by them; `setTimeout` is the fake one, seen through `patch`. */
function fakeTime(patch: (delay: number) => number = (delay) => delay) {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const fake = globalThis.setTimeout;
  const delays: number[] = [];
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((fire: () => void, delay: number) => {
    delays.push(delay);
    return fake(fire, patch(delay));
  }) as typeof setTimeout);
  const origin = performance.now();
  const clock: Clock = { now: () => 1_700_000_000_000 + Math.floor(performance.now() - origin) };
  return { delays, store: new MemoryStore({ clock }), elapsed: () => performance.now() - origin };
}

/** Calls until one has to wait, and says when that one came through. */
function lastOf(limiter: Throttled, calls: number, elapsed: () => number): { moment: number | undefined } {
  const seen: { moment: number | undefined } = { moment: undefined };
  for (let i = 1; i < calls; i++) limiter.limitSync("k");
  void limiter.limit("k", { timeout: "52w" }).then(() => {
    seen.moment = elapsed();
  });
  return seen;
}

describe("a wait by real timers", () => {
  test("longer than 24.8 days is not over early, and no timer is set for longer than it can run", async () => {
    const { delays, store, elapsed } = fakeTime();
    const last = lastOf(new Throttled({ quota: "1/60d", store }), 2, elapsed);
    await vi.advanceTimersByTimeAsync(60 * DAY - 1);
    expect(last.moment).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(last.moment).toBe(60 * DAY);
    expect(Math.max(...delays)).toBeLessThanOrEqual(2 ** 31 - 1);
    expect(delays).toHaveLength(3);
  });

  test.each([
    ["a little", (delay: number) => Math.max(1, delay - 5)],
    ["by a lot", (delay: number) => Math.max(1, Math.floor(delay / 3))],
    ["by a fraction of a millisecond", (delay: number) => Math.max(0.25, delay - 0.5)],
  ])("is not over early when timers fire early %s", async (_what, patch) => {
    const { store, elapsed } = fakeTime(patch);
    const last = lastOf(new Throttled({ quota: "1/s", store }), 2, elapsed);
    await vi.advanceTimersByTimeAsync(999);
    expect(last.moment).toBeUndefined();
    await vi.advanceTimersByTimeAsync(10);
    expect(last.moment).toBeGreaterThanOrEqual(1_000);
  });

  test("holds no timer once it was aborted", async () => {
    const { store } = fakeTime();
    const limiter = new Throttled({ quota: "1/h", store });
    limiter.limitSync("k");
    const controller = new AbortController();
    const call = limiter.limit("k", { timeout: "1d", signal: controller.signal });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.getTimerCount()).toBe(1);
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("holds one timer for a whole queue", async () => {
    const { store } = fakeTime();
    const limiter = new Throttled({ quota: "1/s", store, timeout: "1h" });
    const calls = Array.from({ length: 50 }, () => limiter.limit("k"));
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(49_000);
    await Promise.all(calls);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is never over before its moment by the clock of the store", async () => {
    const limiter = new Throttled({ quota: "200/s burst 1", store: new MemoryStore(), timeout: "10s" });
    const now = limiter.store.clock.now;
    const start = now();
    const early: number[] = [];
    const calls = Array.from({ length: 60 }, async (_, i) => {
      await limiter.limit("k");
      const ahead = start + i * 5 - now();
      if (ahead > 0) early.push(ahead);
    });
    await Promise.all(calls);
    expect(early).toEqual([]);
  });

  test("by a store whose clock can't sleep goes by real time", async () => {
    const clock: Clock = { now: () => 1_700_000_000_000 };
    const limiter = new Throttled({ quota: "1/20ms", store: new MemoryStore({ clock }) });
    limiter.limitSync("k");
    const before = performance.now();
    await limiter.limit("k", { timeout: 20 });
    expect(performance.now() - before).toBeGreaterThanOrEqual(20);
  });
});

describe("a wait by a clock that sleeps", () => {
  test("of more than 24.8 days is over at its moment", async () => {
    const clock = new ManualClock();
    const limiter = new Throttled({ quota: "1/60d", store: new MemoryStore({ clock }) });
    limiter.limitSync("k");
    let over = false;
    void limiter.limit("k", { timeout: "10w" }).then(() => {
      over = true;
    });
    await turn();
    clock.advance(60 * DAY - 1);
    await sleep(5);
    expect(over).toBe(false);
    clock.advance(1);
    await turn();
    expect(over).toBe(true);
  });

  test("goes on until its moment when the clock is set back", async () => {
    const clock = new ManualClock();
    const limiter = new Throttled({ quota: "1/s", store: new MemoryStore({ clock }), timeout: "1s" });
    limiter.limitSync("k");
    let over = false;
    void limiter.limit("k").then(() => {
      over = true;
    });
    await turn();
    clock.set(clock.now() - 500);
    await pass(clock, 1_499);
    expect(over).toBe(false);
    await pass(clock, 1);
    expect(over).toBe(true);
  });
});
