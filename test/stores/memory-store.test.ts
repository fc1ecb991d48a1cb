import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Limiter, MemoryStore, Throttled } from "../../src/index.js";
import { ManualClock, storeConformance } from "../../src/testing.js";
import { turn } from "../support/manual-time.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

afterEach(() => vi.restoreAllMocks());

describe("MemoryStore conforms", () => {
  storeConformance({ test, create: (clock) => new MemoryStore({ clock }) });
});

const daily = new Limiter("gcra", "1/d");
const thrice = new Limiter("gcra", "3/d");

/** Whether the store still knows that the key has spent its unit; to ask leaves no trace. */
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
    expect(names("key", 65_537).filter((key) => !remembers(store, key))).toHaveLength(1);
    expect(remembers(store, "key65536")).toBe(true);
  });
});

describe("a full store", () => {
  const left = (store: MemoryStore, key: string) => store.decide(thrice, key, 0, 0).remaining;

  test("forgets the key that has most left", () => {
    const store = new MemoryStore({ maxSize: 3, clock: new ManualClock() });
    for (const [key, cost] of [
      ["a", 2],
      ["b", 1],
      ["c", 3],
      ["d", 2],
    ] as const)
      store.decide(thrice, key, cost, 0);
    expect(["a", "b", "c", "d"].map((key) => left(store, key))).toEqual([1, 3, 0, 1]);
  });

  test("goes by what is left now, not by what was left at the last call", () => {
    const clock = new ManualClock();
    const store = new MemoryStore({ maxSize: 3, clock });
    spend(store, ["a", "a", "a"], thrice);
    clock.advance(57_600_000);
    spend(store, ["b", "b", "c", "c"], thrice);
    // Two of the three units of a are back.
    expect(["a", "b", "c"].map((key) => left(store, key))).toEqual([2, 1, 1]);
    spend(store, ["d"], thrice);
    expect(["a", "b", "c", "d"].map((key) => left(store, key))).toEqual([3, 1, 1, 2]);
  });

  test("of those with as much left forgets the youngest, but never the one that came just now", () => {
    const clock = new ManualClock();
    const store = new MemoryStore({ maxSize: 3, clock });
    for (const key of ["a", "b", "c", "d", "e", "f"]) {
      spend(store, [key]);
      clock.advance(1);
    }
    expect(["a", "b", "c", "d", "e", "f"].filter((key) => remembers(store, key))).toEqual(["a", "b", "f"]);
  });

  test("of those with as much left keeps one that was seen again, and rather one that was refused", () => {
    const clock = new ManualClock();
    const store = new MemoryStore({ maxSize: 3, clock });
    const calls = { once: [3], twice: [1, 2], refused: [3, 1] };
    for (const [key, costs] of Object.entries(calls)) {
      for (const cost of costs) store.decide(thrice, key, cost, 0);
      clock.advance(1);
    }
    for (const cost of [3, 1]) store.decide(thrice, "new", cost, 0);
    expect(Object.keys(calls).map((key) => left(store, key))).toEqual([3, 0, 0]);
    store.decide(thrice, "newer", 3, 0);
    expect(Object.keys(calls).map((key) => left(store, key))).toEqual([3, 3, 0]);
  });

  test("takes a key that was refused for one that was refused, whoever peeks at it later", () => {
    const clock = new ManualClock();
    const store = new MemoryStore({ maxSize: 2, clock });
    spend(store, ["older", "older"]);
    clock.advance(1);
    spend(store, ["younger", "younger"]);
    store.decide(daily, "older", 0, 0);
    spend(store, ["new"]);
    expect(["older", "younger", "new"].filter((key) => remembers(store, key))).toEqual(["older", "new"]);
  });

  test("holds its bound when the limiters that it looks at first have no keys", () => {
    const store = new MemoryStore({ maxSize: 2, clock: new ManualClock() });
    const limiters = Array.from({ length: 9 }, (_, i) => new Limiter("gcra", `1/${i + 1}h`));
    for (let i = 0; i < 200; i++) {
      const limiter = limiters[(i * 5) % limiters.length]!;
      store.decide(limiter, "key", 1, 0);
      // Leaves a limiter behind that has no key any more.
      if (i % 3 > 0) store.reset(limiter, "key");
      const known = limiters.filter((each) => remembers(store, "key", each));
      expect(store.size).toBe(known.length);
      expect(known.length).toBeLessThanOrEqual(2);
    }
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

describe("limiters", () => {
  test.each([0, 1, 10])(
    "that were made for a single call do not pile up beside %i that stay",
    async (count) => {
      const store = new MemoryStore({ clock: new ManualClock() });
      const staying = Array.from({ length: count }, (_, i) => new Limiter("gcra", `${i + 1}/d`));
      for (const limiter of staying) spend(store, ["key"], limiter);
      const made = Array.from({ length: 5_000 }, (_, i) => {
        const limiter = new Limiter("gcra", `1/${i + 1}ms`);
        store.decide(limiter, "key", 0, 0);
        store.decide(limiter, "key", 2, 0);
        if (count > 0) store.decide(staying[i % count]!, "key", 0, 0);
        return new WeakRef(limiter);
      });
      await turn();
      collectGarbage();
      expect(store.size).toBe(count);
      // Each looks after two that came before: as many are left as stay, and the last ones.
      expect(made.filter((limiter) => limiter.deref() !== undefined).length).toBeLessThan(count + 5);
    },
  );

  test("go with their last key", async () => {
    const clock = new ManualClock();
    const store = new MemoryStore({ clock });
    const made = Array.from({ length: 500 }, (_, i) => {
      const limiter = new Limiter("gcra", `1/${i + 1}ms`);
      spend(store, names("key", 3), limiter);
      return new WeakRef(limiter);
    });
    clock.advance(1_000);
    spend(store, names("key", 2_000));
    await turn();
    collectGarbage();
    expect(store.size).toBe(2_000);
    // The last one may still lie on the stack, or where optimised code keeps what it saw.
    expect(made.filter((limiter) => limiter.deref() !== undefined).length).toBeLessThan(5);
  });

  test("of equal id share their keys, however many are made", () => {
    const store = new MemoryStore({ clock: new ManualClock() });
    for (let i = 0; i < 100; i++) {
      expect(store.decide(new Limiter("gcra", "50/d"), "key", 1, 0).limited).toBe(i >= 50);
      store.decide(new Limiter("gcra", `1/${i + 1}h`), "other", 1, 0);
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
