import { describe, expect, test } from "vitest";
import { type AlgorithmName, MemoryStore, type QuotaInput, Throttled } from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { pass } from "./support/manual-time.js";
import { RemoteStore } from "./support/remote-store.js";

const ALGORITHMS: AlgorithmName[] = [
  "fixed-window",
  "sliding-window",
  "token-bucket",
  "leaky-bucket",
  "gcra",
];

function setUp(quota: QuotaInput | QuotaInput[], using: AlgorithmName = "token-bucket") {
  const clock = new ManualClock(1_700_000_000_000 - (1_700_000_000_000 % 86_400_000));
  return { clock, limiter: new Throttled({ using, quota, store: new MemoryStore({ clock }) }) };
}

describe.each(ALGORITHMS)("several quotas under %s", (using) => {
  test("must all pass", () => {
    const { clock, limiter } = setUp("2/s; 3/h", using);
    expect(limiter.limitSync("k", 2)).toMatchObject({
      limited: false,
      quotaIndex: 0,
      limit: 2,
      remaining: 0,
    });
    clock.advance(2_000);
    expect(limiter.limitSync("k")).toMatchObject({ limited: false, quotaIndex: 1, limit: 3, remaining: 0 });
    expect(limiter.limitSync("k")).toMatchObject({ limited: true, quotaIndex: 1, limit: 3, remaining: 0 });
  });

  test("are none of them charged when one refuses", () => {
    const { limiter } = setUp(["5/s", "6/h"], using);
    limiter.limitSync("k", 5);
    const before = limiter.peekSync("k");
    for (let i = 0; i < 20; i++) expect(limiter.limitSync("k").limited).toBe(true);
    expect(limiter.peekSync("k")).toEqual(before);
    expect(
      new Throttled({ using, quota: ["5/s", "6/h"], store: limiter.store }).limitSync("k", 6).limited,
    ).toBe(true);
  });

  test("refuse a cost that one of them can never pass, and say so", () => {
    const { limiter } = setUp("10/s; 5/h", using);
    expect(limiter.limitSync("k", 6)).toMatchObject({
      limited: true,
      quotaIndex: 1,
      limit: 5,
      remaining: 5,
      retryAfterMs: Number.POSITIVE_INFINITY,
    });
    expect(limiter.limitSync("k", 5).limited).toBe(false);
  });
});

describe("the numbers of several quotas", () => {
  test("are those of the quota with the least left when a call passes, the first of equals", () => {
    const { limiter } = setUp("10/s; 10/m; 12/h");
    expect(limiter.limitSync("k", 4)).toMatchObject({ quotaIndex: 0, limit: 10, remaining: 6 });
    expect(limiter.peekSync("k")).toEqual({ limit: 10, remaining: 6, resetAfterMs: 400, retryAfterMs: 0 });
    expect(limiter.limitSync("k", 0)).toMatchObject({ limited: false, quotaIndex: 0, remaining: 6 });
  });

  test("are those of the refusing quota with the longest wait when it is limited", () => {
    const { limiter } = setUp(["1/s", "1/m", "2/h"]);
    limiter.limitSync("k");
    expect(limiter.limitSync("k")).toMatchObject({
      limited: true,
      quotaIndex: 1,
      limit: 1,
      remaining: 0,
      resetAfterMs: 60_000,
      retryAfterMs: 60_000,
    });
  });

  test("name the quota that refuses, though another has less left", () => {
    const { clock, limiter } = setUp("2/s; 4/h");
    limiter.limitSync("k", 1);
    clock.advance(1_000);
    limiter.limitSync("k", 2);
    expect(limiter.limitSync("k", 2)).toMatchObject({ limited: true, quotaIndex: 1, remaining: 1 });
  });

  test("count indexes through an array of texts that name several each", () => {
    const { limiter } = setUp(["100/s; 100/m", { limit: 1, period: "1h" }]);
    limiter.limitSync("k");
    expect(limiter.limitSync("k")).toMatchObject({ limited: true, quotaIndex: 2 });
  });
});

test("a wait for several quotas is as long as the slowest needs", async () => {
  const clock = new ManualClock();
  const store = new RemoteStore(clock);
  const limiter = new Throttled({ quota: "5/s burst 1; 10/s burst 2", store, timeout: "10s" });
  const start = clock.now();
  const moments: number[] = [];
  for (let i = 0; i < 4; i++) void limiter.limit("k").then(() => moments.push(clock.now() - start));
  await pass(clock, 600);
  expect(moments).toEqual([0, 200, 400, 600]);
  expect(store.asked).toHaveLength(4);
});

test("a refund goes to every quota", async () => {
  const { limiter } = setUp("2/s; 3/h");
  limiter.limitSync("k", 2);
  await limiter.refund("k", 2);
  expect(limiter.limitSync("k", 2)).toMatchObject({ limited: false, quotaIndex: 0 });
  await limiter.refund("k", 2);
  expect(limiter.peekSync("k")).toMatchObject({ remaining: 2, resetAfterMs: 0 });
});
