import { describe, expect, test } from "vitest";
import { MemoryStore, type RateLimitResult, Throttled } from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { RemoteStore } from "./support/remote-store.js";

function setUp(quota = "10/s", cost = 1) {
  const clock = new ManualClock();
  return { clock, limiter: new Throttled({ quota, cost, store: new MemoryStore({ clock }) }) };
}

const fresh = { limit: 10, remaining: 10, resetAfterMs: 0, retryAfterMs: 0 };
const passed: RateLimitResult = { limited: false, quotaIndex: 0, source: "store", ...fresh };

describe("limit", () => {
  test("answers with the fields of a result and no others, whether it passes, is refused or asks", async () => {
    const { limiter } = setUp();
    expect(await limiter.limit("k", 4)).toStrictEqual({ ...passed, remaining: 6, resetAfterMs: 400 });
    expect(await limiter.limit("k", 7)).toStrictEqual({
      ...passed,
      limited: true,
      remaining: 6,
      resetAfterMs: 400,
      retryAfterMs: 100,
    });
    expect(await limiter.limit("k", 0)).toStrictEqual({ ...passed, remaining: 6, resetAfterMs: 400 });
  });

  test("answers the same on a store that answers at once and on one that does not", async () => {
    const remote = new Throttled({ quota: "10/s", store: new RemoteStore(new ManualClock()) });
    const { limiter } = setUp();
    for (const cost of [4, 7, 0, 6, 1, 11]) {
      const answer = await limiter.limit("k", cost);
      expect(await remote.limit("k", cost)).toStrictEqual(answer);
    }
  });

  test("answers as limitSync does, which does not wait for a promise", async () => {
    const [one, other] = [setUp().limiter, setUp().limiter];
    for (const cost of [4, 7, 0, 6, 1, 11]) {
      expect(one.limitSync("k", cost)).toStrictEqual(await other.limit("k", cost));
    }
  });

  test("takes the cost as a number or as an option", async () => {
    const { limiter } = setUp();
    expect(await limiter.limit("k", 3)).toMatchObject({ remaining: 7 });
    expect(await limiter.limit("k", { cost: 3 })).toMatchObject({ remaining: 4 });
    expect(await limiter.limit("k", {})).toMatchObject({ remaining: 3 });
    expect(
      await limiter.limit("k", { cost: undefined, timeout: undefined, signal: undefined }),
    ).toMatchObject({
      remaining: 2,
    });
  });

  test("is truthful about what remains: spending that works, one more does not", () => {
    const { limiter } = setUp();
    const { remaining } = limiter.limitSync("k", 7);
    expect(limiter.limitSync("k", remaining + 1).limited).toBe(true);
    expect(limiter.limitSync("k", remaining).limited).toBe(false);
  });

  test("lets a refused call pass at retryAfterMs, and not a millisecond earlier", () => {
    const { clock, limiter } = setUp("7/9s");
    limiter.limitSync("k", 7);
    const { retryAfterMs } = limiter.limitSync("k", 2);
    expect(retryAfterMs).toBe(2_572);
    clock.advance(retryAfterMs - 1);
    expect(limiter.limitSync("k", 2)).toMatchObject({ limited: true, retryAfterMs: 1 });
    clock.advance(1);
    expect(limiter.limitSync("k", 2)).toMatchObject({ limited: false, retryAfterMs: 0 });
  });

  test("says Infinity for a cost that can never pass, and changes nothing", () => {
    const { limiter } = setUp();
    limiter.limitSync("k", 3);
    for (const cost of [11, 1e9, Number.MAX_SAFE_INTEGER]) {
      expect(limiter.limitSync("k", cost)).toStrictEqual({
        ...passed,
        limited: true,
        remaining: 7,
        resetAfterMs: 300,
        retryAfterMs: Number.POSITIVE_INFINITY,
      });
    }
    expect(limiter.limitSync("k", 7).limited).toBe(false);
  });

  test("with a cost of 0 always passes and writes nothing", () => {
    const { limiter } = setUp("1/h");
    expect(limiter.limitSync("k", 0)).toMatchObject({ limited: false, remaining: 1, resetAfterMs: 0 });
    expect(limiter.store.size).toBe(0);
    limiter.limitSync("k");
    expect(limiter.limitSync("k", 0)).toMatchObject({ limited: false, remaining: 0, retryAfterMs: 0 });
  });

  test("prefers the key of the call to that of the limiter", () => {
    const limiter = new Throttled({
      key: "own",
      quota: "1/h",
      store: new MemoryStore({ clock: new ManualClock() }),
    });
    expect(limiter.key).toBe("own");
    expect(limiter.limitSync().limited).toBe(false);
    expect(limiter.limitSync("other").limited).toBe(false);
    expect(limiter.limitSync("own").limited).toBe(true);
    expect(limiter.limitSync(undefined).limited).toBe(true);
  });
});

describe("peek", () => {
  test("answers with the fields of a state and no others", async () => {
    const { limiter } = setUp();
    expect(await limiter.peek("k")).toStrictEqual(fresh);
    limiter.limitSync("k", 9);
    expect(await limiter.peek("k")).toStrictEqual({ ...fresh, remaining: 1, resetAfterMs: 900 });
    expect(limiter.peekSync("k")).toStrictEqual(await limiter.peek("k"));
  });

  test("says when a cost of 1 will pass, whatever the limiter's own cost is", () => {
    const { clock, limiter } = setUp("10/s", 5);
    limiter.limitSync("k", 10);
    expect(limiter.peekSync("k")).toStrictEqual({
      ...fresh,
      remaining: 0,
      resetAfterMs: 1_000,
      retryAfterMs: 100,
    });
    clock.advance(99);
    expect(limiter.peekSync("k").retryAfterMs).toBe(1);
    clock.advance(1);
    expect(limiter.peekSync("k")).toMatchObject({ remaining: 1, retryAfterMs: 0 });
  });

  test("changes nothing, however often it is asked", () => {
    const { limiter } = setUp("1/h");
    for (let i = 0; i < 10; i++) limiter.peekSync("k");
    expect(limiter.store.size).toBe(0);
    expect(limiter.limitSync("k").limited).toBe(false);
  });
});

describe("reset", () => {
  test("makes a key fresh again, and no other", async () => {
    const { limiter } = setUp("1/h");
    limiter.limitSync("k");
    limiter.limitSync("other");
    expect(await limiter.reset("k")).toBeUndefined();
    expect(limiter.peekSync("k")).toMatchObject({ remaining: 1, resetAfterMs: 0 });
    expect(limiter.limitSync("other").limited).toBe(true);
  });

  test("uses the key of the limiter when it is given none", async () => {
    const limiter = new Throttled({
      key: "k",
      quota: "1/h",
      store: new MemoryStore({ clock: new ManualClock() }),
    });
    limiter.limitSync();
    await limiter.reset();
    expect(limiter.limitSync().limited).toBe(false);
  });
});
