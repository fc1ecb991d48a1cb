import { describe, expect, test } from "vitest";
import { MemoryStore, Throttled, throttled, throttledSync } from "../src/index.js";
import { ManualClock } from "../src/testing.js";

const work = async (): Promise<void> => {};
type Limiter = Throttled<MemoryStore>;

/** Every way to spend units of the key "k", each without a cost. */
const WAYS: Record<string, (limiter: Limiter) => unknown> = {
  limit: (limiter) => limiter.limit("k"),
  "limit with options": (limiter) => limiter.limit("k", {}),
  "limit with a timeout": (limiter) => limiter.limit("k", { timeout: "1s" }),
  limitSync: (limiter) => limiter.limitSync("k"),
  acquire: (limiter) => limiter.acquire("k"),
  acquireSync: (limiter) => limiter.acquireSync("k"),
  run: (limiter) => limiter.run("k", work),
  "run with options": (limiter) => limiter.run("k", work, { refundOnError: true }),
  wrap: (limiter) => limiter.wrap(work, { key: "k" })(),
  wrapSync: (limiter) => limiter.wrapSync(() => {}, { key: "k" })(),
  "limitMany of keys": (limiter) => limiter.limitMany(["k"]),
  "limitMany of requests": (limiter) => limiter.limitMany([{ key: "k" }]),
  decorator: (limiter) => throttled(limiter, { key: "k" })(work)(),
  "decorator of functions that answer at once": (limiter) => throttledSync(limiter, { key: "k" })(() => {})(),
};

describe("the cost of a limiter", () => {
  test.each(Object.entries(WAYS))("is what %s spends unless it says otherwise", async (_name, call) => {
    const limiter = new Throttled({
      quota: "10/h",
      cost: 3,
      store: new MemoryStore({ clock: new ManualClock() }),
    });
    await call(limiter);
    expect(limiter.peekSync("k").remaining).toBe(7);
  });

  test("is what refund gives back unless it says otherwise", async () => {
    const limiter = new Throttled({
      quota: "10/h",
      cost: 3,
      store: new MemoryStore({ clock: new ManualClock() }),
    });
    limiter.limitSync("k", 10);
    await limiter.refund("k");
    expect(limiter.peekSync("k").remaining).toBe(3);
  });

  test("is what a decorator with a limiter of its own spends", async () => {
    const store = new MemoryStore({ clock: new ManualClock() });
    await throttled({ key: "k", quota: "10/h", cost: 3, store })(work)();
    throttledSync({ key: "k", quota: "10/h", cost: () => 4, store })(() => {})();
    expect(new Throttled({ quota: "10/h", store }).peekSync("k").remaining).toBe(3);
  });

  test("may be 0, and a call can still spend", async () => {
    const limiter = new Throttled({
      quota: "2/h",
      cost: 0,
      store: new MemoryStore({ clock: new ManualClock() }),
    });
    for (let i = 0; i < 5; i++) expect(limiter.limitSync("k").limited).toBe(false);
    expect(limiter.limitSync("k", 2).limited).toBe(false);
    expect(limiter.limitSync("k", 1).limited).toBe(true);
    expect((await limiter.limit("k", { timeout: "1s" })).limited).toBe(false);
  });
});
