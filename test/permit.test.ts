import { describe, expect, test } from "vitest";
import { isLimitedError, LimitedError, MemoryStore, type Store, Throttled } from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { turn } from "./support/manual-time.js";
import { RemoteStore } from "./support/remote-store.js";

const stores = {
  "a store that answers at once": () => new MemoryStore({ clock: new ManualClock() }),
  "a store behind promises": () => new RemoteStore(new ManualClock()),
};

function setUp(quota = "10/h") {
  const store = new MemoryStore({ clock: new ManualClock() });
  return new Throttled({ quota, store });
}

describe.each(Object.entries(stores))("acquire on %s", (_name, create) => {
  const remote = () => new Throttled<Store>({ quota: "10/h", store: create() });

  test("answers with a permit that knows its key, its cost and what is left", async () => {
    const permit = await remote().acquire("k", 3);
    expect({ ...permit }).toEqual({
      key: "k",
      cost: 3,
      limit: 10,
      remaining: 7,
      resetAfterMs: 1_080_000,
      retryAfterMs: 0,
    });
  });

  test("rejects with a LimitedError that says by how much", async () => {
    const limiter = remote();
    await limiter.acquire("k", 10);
    const error = await limiter.acquire("k", 2).catch((error: unknown) => error);
    expect(isLimitedError(error)).toBe(true);
    expect(error).toBeInstanceOf(LimitedError);
    expect(error).toMatchObject({
      name: "LimitedError",
      message: "Rate limit exceeded: remaining=0, resetAfterMs=3600000, retryAfterMs=720000",
      key: "k",
      result: {
        limited: true,
        quotaIndex: 0,
        source: "store",
        limit: 10,
        remaining: 0,
        resetAfterMs: 3_600_000,
        retryAfterMs: 720_000,
      },
    });
  });

  test("charges what a call really cost when it is settled", async () => {
    const limiter = remote();
    const remaining = async () => (await limiter.peek("k")).remaining;
    await (await limiter.acquire("k", 5)).settle(2);
    expect(await remaining()).toBe(8);
    await (await limiter.acquire("k", 1)).settle(4);
    expect(await remaining()).toBe(4);
    await (await limiter.acquire("k", 4)).settle(4);
    expect(await remaining()).toBe(0);
  });
});

describe("a permit", () => {
  test("of acquireSync is the same", () => {
    const limiter = setUp();
    expect({ ...limiter.acquireSync("k", 3) }).toMatchObject({ key: "k", cost: 3, limit: 10, remaining: 7 });
    expect(() => limiter.acquireSync("k", 8)).toThrow(LimitedError);
    expect(() => limiter.acquireSync("k", 11)).toThrow(
      "Rate limit exceeded: remaining=7, resetAfterMs=1080000, retryAfterMs=Infinity",
    );
    expect(limiter.peekSync("k").remaining).toBe(7);
  });

  test("settles into debt, which has to be paid off before anything passes", async () => {
    const clock = new ManualClock();
    const limiter = new Throttled({ quota: "10/s", store: new MemoryStore({ clock }) });
    const permit = limiter.acquireSync("k", 10);
    await permit.settle(35);
    expect(limiter.peekSync("k")).toEqual({
      limit: 10,
      remaining: 0,
      resetAfterMs: 3_500,
      retryAfterMs: 2_600,
    });
    clock.advance(2_599);
    expect(limiter.limitSync("k").limited).toBe(true);
    clock.advance(1);
    expect(limiter.limitSync("k").limited).toBe(false);
  });

  test("gives all of it back when it is refunded", async () => {
    const limiter = setUp();
    await limiter.acquireSync("k", 6).refund();
    expect(limiter.peekSync("k")).toMatchObject({ remaining: 10, resetAfterMs: 0 });
  });

  test.each([
    ["refund", "refund"],
    ["refund", "settle"],
    ["settle", "refund"],
    ["settle", "settle"],
  ] as const)("works once: after %s, %s does nothing", async (first, second) => {
    const limiter = setUp();
    const other = limiter.acquireSync("k", 5);
    const permit = limiter.acquireSync("k", 4);
    await permit[first](1);
    const { remaining } = limiter.peekSync("k");
    expect(remaining).toBe(first === "refund" ? 5 : 4);
    await permit[second](0);
    expect(limiter.peekSync("k").remaining).toBe(remaining);
    await other.refund();
    expect(limiter.peekSync("k").remaining).toBe(remaining + 5);
  });

  test("works once also when both are called at the same time", async () => {
    const store = new RemoteStore(new ManualClock());
    const limiter = new Throttled({ quota: "10/h", store });
    const permit = await limiter.acquire("k", 5);
    await Promise.all([permit.refund(), permit.settle(2), permit.refund()]);
    expect(store.asked).toEqual([5, -5]);
  });

  test("of a cost of 0 can be settled, and refunding it asks nothing of the store", async () => {
    const store = new RemoteStore(new ManualClock());
    const limiter = new Throttled({ quota: "10/h", store });
    await (await limiter.acquire("k", 0)).refund();
    await (await limiter.acquire("k", 0)).settle(3);
    expect(store.asked).toEqual([0, 0, 3]);
    expect((await limiter.peek("k")).remaining).toBe(7);
  });

  test.each([
    [-1, new RangeError("Expected `actualCost` to be a non-negative integer, got -1")],
    [0.5, new RangeError("Expected `actualCost` to be a non-negative integer, got 0.5")],
    [Number.NaN, new RangeError("Expected `actualCost` to be a non-negative integer, got NaN")],
    ["3", new TypeError('Expected `actualCost` to be a non-negative integer, got "3"')],
    [undefined, new TypeError("Expected `actualCost` to be a non-negative integer, got undefined")],
  ])("rejects to be settled with %o, and can still be settled", async (actualCost, error) => {
    const limiter = setUp();
    const permit = limiter.acquireSync("k", 4);
    await expect(permit.settle(actualCost as number)).rejects.toThrow(error);
    expect(limiter.peekSync("k").remaining).toBe(6);
    await permit.settle(1);
    expect(limiter.peekSync("k").remaining).toBe(9);
  });

  test("rejects with what went wrong in the store", async () => {
    const store = new RemoteStore(new ManualClock());
    const permit = await new Throttled({ store }).acquire("k", 4);
    store.failsOn = () => true;
    await expect(permit.refund()).rejects.toThrow("the server is gone");
    await turn();
  });

  test("can be held by `using`, which gives nothing back", () => {
    const limiter = setUp();
    {
      using permit = limiter.acquireSync("k", 3);
      expect(permit.remaining).toBe(7);
    }
    expect(limiter.peekSync("k").remaining).toBe(7);
  });

  test("can be held by `await using`, and what was settled stays settled", async () => {
    const limiter = setUp();
    {
      await using permit = await limiter.acquire("k", 3);
      await permit.settle(1);
    }
    expect(limiter.peekSync("k").remaining).toBe(9);
  });
});
