import { afterEach, describe, expect, test, vi } from "vitest";
import { Limiter, MemoryStore, Throttled } from "../../src/index.js";
import { ManualClock, storeConformance } from "../../src/testing.js";

afterEach(() => vi.restoreAllMocks());

describe("MemoryStore conforms", () => {
  storeConformance({ test, create: (clock) => new MemoryStore({ clock }) });
});

const daily = new Limiter("gcra", "1/d");

/** Whether the store still knows that the key has spent its unit; to ask makes it the most recently used. */
function remembers(store: MemoryStore, key: string, limiter = daily): boolean {
  return store.decide(limiter, key, 0, 0).remaining === 0;
}

function spend(store: MemoryStore, keys: readonly string[], limiter = daily): void {
  for (const key of keys) store.decide(limiter, key, 1, 0);
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

describe("its bound", () => {
  test("holds for any number of new keys, and each is served at once", () => {
    const store = new MemoryStore({ maxSize: 100, clock: new ManualClock() });
    for (const key of names("key", 1_000)) {
      expect(store.decide(daily, key, 1, 0)).toMatchObject({ limited: false });
      expect(store.size).toBeLessThanOrEqual(100);
    }
    expect(store.size).toBe(100);
  });

  test("holds over several limiters together", () => {
    const store = new MemoryStore({ maxSize: 100, clock: new ManualClock() });
    const limiters = ["1/d", "2/d", "3/d"].map((quota) => new Limiter("token-bucket", quota));
    for (const key of names("key", 300)) {
      for (const limiter of limiters) store.decide(limiter, key, 1, 0);
      expect(store.size).toBeLessThanOrEqual(100);
    }
    expect(store.size).toBe(100);
  });

  test("may be one", () => {
    const store = new MemoryStore({ maxSize: 1, clock: new ManualClock() });
    spend(store, ["a", "b"]);
    expect([remembers(store, "a"), remembers(store, "b"), store.size]).toEqual([false, true, 1]);
  });

  test("is 65,536 keys by default", () => {
    const store = new MemoryStore({ clock: new ManualClock() });
    spend(store, names("key", 65_537));
    expect(store.size).toBe(65_536);
    expect(remembers(store, "key0")).toBe(false);
    expect(remembers(store, "key1")).toBe(true);
  });
});

describe("a full store", () => {
  test("forgets the least recently used key first", () => {
    const store = new MemoryStore({ maxSize: 3, clock: new ManualClock() });
    spend(store, ["a", "b", "c", "d"]);
    expect(store.size).toBe(3);
    expect(remembers(store, "a")).toBe(false);
    expect(["b", "c", "d"].filter((key) => remembers(store, key))).toEqual(["b", "c", "d"]);
  });

  test.each<[string, number]>([
    ["a refused call", 1],
    ["a peek", 0],
  ])("counts %s as a use", (_, cost) => {
    const store = new MemoryStore({ maxSize: 3, clock: new ManualClock() });
    spend(store, ["a", "b", "c"]);
    store.decide(daily, "a", cost, 0);
    spend(store, ["d"]);
    expect(remembers(store, "a")).toBe(true);
    expect(remembers(store, "b")).toBe(false);
  });

  test("lets the largest table give way, so that a flood pushes out its own kind", () => {
    const store = new MemoryStore({ maxSize: 100, clock: new ManualClock() });
    const flooded = new Limiter("gcra", "1/h");
    const users = names("user", 20);
    spend(store, users);
    spend(store, names("flood", 1_000), flooded);
    expect(store.size).toBe(100);
    expect(users.filter((key) => remembers(store, key))).toEqual(users);
  });

  test("makes no room for a call that writes nothing", () => {
    const store = new MemoryStore({ maxSize: 2, clock: new ManualClock() });
    spend(store, ["a", "b"]);
    for (const key of names("new", 10)) {
      store.decide(daily, key, 0, 0);
      store.decide(daily, key, 2, 0);
      store.decide(daily, key, -1, 0);
    }
    expect([remembers(store, "a"), remembers(store, "b"), store.size]).toEqual([true, true, 2]);
  });
});

describe("expired keys", () => {
  const quick = new Limiter("gcra", "1/s");

  test("are freed by later traffic on new keys", () => {
    const clock = new ManualClock();
    const store = new MemoryStore({ clock });
    spend(store, names("old", 1_000), quick);
    clock.advance(1_000);
    spend(store, names("new", 1_000), quick);
    expect(store.size).toBeLessThanOrEqual(1_001);
  });

  test("are freed as fast behind keys that live long", () => {
    const clock = new ManualClock();
    const store = new MemoryStore({ clock });
    spend(store, names("long", 1_000));
    for (const round of names("round", 50)) {
      spend(store, names(round, 100), quick);
      clock.advance(1_000);
    }
    // 1,000 live long and 100 at most live at once; the sweep may lag by as many inserts as a whole round of it takes.
    expect(store.size).toBeLessThanOrEqual(2_500);
  });

  test("of other limiters are freed as well, with whatever kept them", () => {
    const clock = new ManualClock();
    const store = new MemoryStore({ clock });
    for (const i of Array(50).keys()) spend(store, names("key", 10), new Limiter("gcra", `1/${i + 1}ms`));
    expect(store.size).toBe(500);
    clock.advance(50);
    spend(store, names("new", 1_000));
    expect(store.size).toBe(1_000);
  });

  test("need no timer", () => {
    const timers = [vi.spyOn(globalThis, "setTimeout"), vi.spyOn(globalThis, "setInterval")];
    const store = new MemoryStore();
    spend(store, names("key", 100), quick);
    store.close();
    for (const timer of timers) expect(timer).not.toHaveBeenCalled();
  });

  test("are not remembered once they were given back", () => {
    const store = new MemoryStore({ clock: new ManualClock() });
    spend(store, ["a", "b"]);
    store.decide(daily, "a", -1, 0);
    expect(store.size).toBe(1);
    store.reset(daily, "b");
    expect(store.size).toBe(0);
  });
});

describe("its clock", () => {
  test.each([
    ["an hour forward", 3_600_000],
    ["an hour back", -3_600_000],
    ["to the epoch", -Date.now()],
    ["a year forward", 31_536_000_000],
  ])("is not moved by a step of the wall clock %s", (_, stepMs) => {
    const store = new MemoryStore();
    const limiter = new Limiter("token-bucket", "5/w");
    store.decide(limiter, "key", 5, 0);
    const before = store.decide(limiter, "key", 0, 0);
    const wall = Date.now.bind(Date);
    vi.spyOn(Date, "now").mockImplementation(() => wall() + stepMs);
    const after = store.decide(limiter, "key", 0, 0);
    expect(after.remaining).toBe(0);
    expect(before.resetAfterMs - after.resetAfterMs).toBeGreaterThanOrEqual(0);
    expect(before.resetAfterMs - after.resetAfterMs).toBeLessThan(60_000);
    expect(store.decide(limiter, "key", 1, 0)).toMatchObject({ limited: true });
    expect(Math.abs(store.clock.now() - wall())).toBeLessThan(60_000);
  });

  test("reads whole milliseconds since the epoch and never goes back", () => {
    const { clock } = new MemoryStore();
    let last = 0;
    for (let i = 0; i < 1_000; i++) {
      const now = clock.now();
      expect(Number.isSafeInteger(now) && now >= last).toBe(true);
      last = now;
    }
  });
});

describe("closing", () => {
  test("forgets every key", async () => {
    const store = new MemoryStore({ clock: new ManualClock() });
    spend(store, names("key", 10));
    spend(store, names("key", 10), new Limiter("gcra", "1/h"));
    expect(store.size).toBe(20);
    store.close();
    expect(store.size).toBe(0);
    spend(store, ["key1"]);
    await store[Symbol.asyncDispose]();
    expect(store.size).toBe(0);
  });

  test("comes with `await using`", async () => {
    const closed = vi.spyOn(MemoryStore.prototype, "close");
    {
      await using store = new MemoryStore();
      spend(store, ["key"]);
    }
    expect(closed).toHaveBeenCalledOnce();
  });
});

describe("what the constructor refuses", () => {
  test.each<[unknown, string, string]>([
    [0, "RangeError", "0"],
    [-1, "RangeError", "-1"],
    [1.5, "RangeError", "1.5"],
    [Number.NaN, "RangeError", "NaN"],
    [Number.POSITIVE_INFINITY, "RangeError", "Infinity"],
    ["100", "TypeError", '"100"'],
    [{}, "TypeError", "an object"],
    [10n, "TypeError", "10n"],
  ])("a `maxSize` of %o", (maxSize, name, got) => {
    expect(() => new MemoryStore({ maxSize: maxSize as number })).toThrow(
      expect.objectContaining({ name, message: `Expected \`maxSize\` to be a positive integer, got ${got}` }),
    );
  });

  test.each<[object | null, string]>([
    [{ maxsize: 5 }, 'Unknown option "maxsize" in `options`, expected one of `maxSize`, `clock`'],
    [null, "Expected `options` to be an object, got null"],
    [[], "Expected `options` to be an object, got an array"],
    [{ clock: {} }, "Expected `clock` to be a clock with `now()`, got an object"],
    [{ clock: 5 }, "Expected `clock` to be a clock with `now()`, got 5"],
  ])("the options %o", (options, message) => {
    expect(() => new MemoryStore(options as object)).toThrow(new TypeError(message));
  });
});

describe("sharing", () => {
  test("two stores share nothing", () => {
    const [one, other] = [new MemoryStore(), new MemoryStore()];
    spend(one, ["key"]);
    expect([one.size, other.size]).toEqual([1, 0]);
    expect([remembers(one, "key"), remembers(other, "key")]).toEqual([true, false]);
    other.reset(daily, "key");
    other.close();
    expect(remembers(one, "key")).toBe(true);
  });

  test("limiters without a store share the one of the process", async () => {
    const [one, other] = [new Throttled({ quota: "1/w" }), new Throttled({ quota: "1/w" })];
    expect(one.store).toBe(other.store);
    expect(one.store).toBeInstanceOf(MemoryStore);
    expect(await one.limit("shared by the process")).toMatchObject({ limited: false });
    expect(other.limitSync("shared by the process")).toMatchObject({ limited: true });
    const stranger = new Throttled({ quota: "1/w", store: new MemoryStore() });
    expect(stranger.limitSync("shared by the process")).toMatchObject({ limited: false });
  });
});
