import { describe, expect, test } from "vitest";
import { type AlgorithmName, Limiter } from "../../src/algorithms/limiter.js";
import { ALIGNED, SingleKey } from "./single-key.js";
import { trace } from "./trace.js";

const NEVER = Number.POSITIVE_INFINITY;

describe("id of a limiter", () => {
  test("names the algorithm and every number of every quota, in order", () => {
    expect(new Limiter("gcra", "10/s").id).toBe("gcra:10/1000/10");
    expect(new Limiter("token-bucket", "60/m burst 120; 1000/h").id).toBe(
      "token-bucket:60/60000/120;1000/3600000/1000",
    );
  });

  test("is the same for the same quota written otherwise, and no other", () => {
    const id = (using: AlgorithmName, quota: string): string => new Limiter(using, quota).id;
    expect(id("gcra", "60 per 1 minute")).toBe(id("gcra", "60/60s burst 60"));
    const others = ["60/m burst 61", "61/m burst 60", "60/m; 60/m", "60/m; 1/s", "1/s; 60/m", "1/s"];
    const ids = ["60/m", ...others].map((quota) => id("gcra", quota));
    expect(new Set([...ids, id("token-bucket", "60/m"), id("fixed-window", "60/m")]).size).toBe(9);
  });
});

describe("capacity of a limiter", () => {
  test("is the limit for windows and the burst for buckets, quota by quota", () => {
    const windows = new Limiter("sliding-window", "10/s; 100/m");
    expect([windows.capacity(0), windows.capacity(1)]).toEqual([10, 100]);
    const buckets = new Limiter("leaky-bucket", "10/s burst 3; 100/m burst 500");
    expect([buckets.capacity(0), buckets.capacity(1)]).toEqual([3, 500]);
  });
});

describe("the record of a key", () => {
  const left = (quota: string, costs: readonly number[]): number => {
    const limiter = new Limiter("token-bucket", quota);
    const record = new Float64Array(2 + limiter.size);
    for (const cost of costs) limiter.decideAt(record, 2, ALIGNED, cost, 0);
    return limiter.left(record, 2, ALIGNED + 100);
  };

  test("tells which part of its quota is left now, of several of that of which least is left", () => {
    expect(left("10/s", [])).toBe(1);
    expect(left("10/s", [6])).toBe(0.5);
    expect(left("10/s; 100/h", [6])).toBe(0.5);
    expect(left("10/s; 8/h", [6])).toBe(0.25);
    expect(left("8/h; 10/s", [6])).toBe(0.25);

    const limiter = new Limiter("token-bucket", "10/s; 100/h");
    const key = new SingleKey(limiter);
    for (let i = 0; i < 9; i++) {
      key.decide(10);
      key.now += 1_000;
    }
    expect(limiter.left(Float64Array.from(key.record!), 0, key.now)).toBe(0.1);
  });

  test("can be dropped as soon as its key is as good as fresh", () => {
    const limiter = new Limiter("token-bucket", "10/s");
    const { write } = limiter.decide(undefined, ALIGNED, 4, 0);
    expect(write!.ttlMs).toBe(400);
    expect(limiter.decide(write!.record, ALIGNED + 100, 1, 0).write!.ttlMs).toBe(400);
  });
});

describe("several quotas", () => {
  test("tell of the one with the least left, and of the one that refuses for longest", () => {
    trace("token-bucket", "5/s; 6/h", [
      { at: 0, cost: 5, quotaIndex: 0, remaining: 0, resetAfterMs: 1000 },
      // Both refuse: the first for 400 ms, the second for 10 minutes.
      {
        at: 0,
        cost: 2,
        limited: true,
        quotaIndex: 1,
        remaining: 1,
        resetAfterMs: 3_000_000,
        retryAfterMs: 600_000,
      },
      { at: 0, cost: 1, limited: true, quotaIndex: 0, remaining: 0, resetAfterMs: 1000, retryAfterMs: 200 },
      { at: 0, cost: 6, limited: true, quotaIndex: 0, remaining: 0, resetAfterMs: 1000, retryAfterMs: NEVER },
      { at: 1000, cost: 1, quotaIndex: 1, remaining: 0, resetAfterMs: 3_599_000 },
      {
        at: 1000,
        cost: 1,
        limited: true,
        quotaIndex: 1,
        remaining: 0,
        resetAfterMs: 3_599_000,
        retryAfterMs: 599_000,
      },
    ]);
  });

  test("tell of the first where they are equal", () => {
    trace("fixed-window", "2/s; 2/m; 2/h", [
      { at: 0, cost: 1, quotaIndex: 0, remaining: 1, resetAfterMs: 1000 },
      { at: 0, cost: 1, quotaIndex: 0, remaining: 0, resetAfterMs: 1000 },
    ]);
    trace(
      "token-bucket",
      ["1/s", "1/s"],
      [
        { at: 0, cost: 1, quotaIndex: 0, remaining: 0, resetAfterMs: 1000 },
        {
          at: 0,
          cost: 1,
          limited: true,
          quotaIndex: 0,
          remaining: 0,
          resetAfterMs: 1000,
          retryAfterMs: 1000,
        },
      ],
    );
  });

  test("asked without spending, tell of the one with the least left, and how long a cost of 1 waits for all", () => {
    trace("token-bucket", "5/s; 6/h", [
      { at: 0, cost: 5, quotaIndex: 0, remaining: 0, resetAfterMs: 1000 },
      { at: 1000, cost: 1, quotaIndex: 1, remaining: 0, resetAfterMs: 3_599_000 },
      { at: 1000, cost: 4, maxWaitMs: NEVER, quotaIndex: 0, remaining: 0, resetAfterMs: 1000 },
      // Both have nothing left: the first for 200 ms, the second for 2,999 s.
      { at: 1000, cost: 0, quotaIndex: 0, remaining: 0, resetAfterMs: 1000, retryAfterMs: 2_999_000 },
    ]);
  });

  test("book the moment at which all of them have room", () => {
    trace("fixed-window", "2/s; 3/m", [
      { at: 0, cost: 2, quotaIndex: 0, remaining: 0, resetAfterMs: 1000 },
      { at: 0, cost: 1, maxWaitMs: 60_000, quotaIndex: 1, remaining: 0, resetAfterMs: 59_000, waitMs: 1000 },
      { at: 0, cost: 1, maxWaitMs: 60_000, quotaIndex: 0, remaining: 1, resetAfterMs: 1000, waitMs: 60_000 },
      // Both refuse for 59 s.
      { at: 1000, cost: 1, limited: true, remaining: 0, resetAfterMs: 60_000, retryAfterMs: 59_000 },
    ]);
  });
});

describe("a clock that was set back", () => {
  test("stands still for a bucket up to one full refill, and then finds it just exhausted", () => {
    const call = { cost: 1, limited: true as const, remaining: 0 };
    trace("token-bucket", "10/s", [
      { at: 0, cost: 9, remaining: 1, resetAfterMs: 900 },
      { at: -400, cost: 0, remaining: 1, resetAfterMs: 1300 },
      { at: -400, cost: 1, remaining: 0, resetAfterMs: 1400 },
      { at: -400, ...call, resetAfterMs: 1400, retryAfterMs: 500 },
      { at: -1000, ...call, resetAfterMs: 2000, retryAfterMs: 1100 },
      { at: -1001, ...call, resetAfterMs: 1000, retryAfterMs: 100 },
      { at: -902, ...call, resetAfterMs: 901, retryAfterMs: 1 },
      { at: -901, cost: 1, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("stands still for a fixed window up to a period, and then finds it used up", () => {
    trace("fixed-window", "2/s", [
      { at: 5200, cost: 1, remaining: 1, resetAfterMs: 800 },
      { at: 4200, cost: 1, remaining: 0, resetAfterMs: 1800 },
      { at: 4200, cost: 1, limited: true, remaining: 0, resetAfterMs: 1800, retryAfterMs: 1800 },
      { at: 4199, cost: 1, limited: true, remaining: 0, resetAfterMs: 801, retryAfterMs: 801 },
      { at: 5000, cost: 2, remaining: 0, resetAfterMs: 1000 },
    ]);
  });

  test("stands still for a sliding window up to a period, and then finds it just used up", () => {
    const exhausted = { limited: true as const, remaining: 0 };
    trace("sliding-window", "4/s", [
      { at: 5200, cost: 1, remaining: 3, resetAfterMs: 1799 },
      { at: 4200, cost: 3, remaining: 0, resetAfterMs: 2799 },
      // Beyond, all 4 of the window before still count, rounded up.
      { at: 4199, cost: 1, ...exhausted, resetAfterMs: 800, retryAfterMs: 50 },
      { at: 4248, cost: 1, ...exhausted, resetAfterMs: 751, retryAfterMs: 1 },
      { at: 4249, cost: 1, remaining: 0, resetAfterMs: 1750 },
    ]);
  });

  test("does not forgive what is owed beyond a used up key", () => {
    const asked = { at: -9000, cost: 0, remaining: 0 };
    trace("token-bucket", "10/s", [
      { at: 0, cost: 25, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 2500 },
      { ...asked, resetAfterMs: 2500, retryAfterMs: 1600 },
    ]);
    trace("fixed-window", "10/s", [
      { at: 0, cost: 25, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 3000 },
      { ...asked, resetAfterMs: 3000, retryAfterMs: 2000 },
    ]);
    trace("sliding-window", "10/s", [
      { at: 0, cost: 25, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 3999 },
      { ...asked, resetAfterMs: 3999, retryAfterMs: 2599 },
    ]);
    trace("sliding-window", "10/s", [
      { at: 0, cost: 13, maxWaitMs: NEVER, remaining: 0, resetAfterMs: 2999 },
      { ...asked, resetAfterMs: 2999, retryAfterMs: 1399 },
    ]);
  });

  test("asking alone does not settle from when on the key counts as exhausted", () => {
    const key = new SingleKey(new Limiter("token-bucket", "10/s"));
    key.decide(10);
    const { record } = key;
    key.now = ALIGNED - 5000;
    expect(key.peek()).toMatchObject({ remaining: 0, retryAfterMs: 100, resetAfterMs: 1000 });
    expect(key.record).toBe(record);
  });

  test("a charge of nothing settles it, as charges do", () => {
    const key = new SingleKey(new Limiter("token-bucket", "10/s"));
    key.decide(10);
    key.now = ALIGNED - 5000;
    key.charge(0);
    key.now = ALIGNED - 4900;
    expect(key.peek()).toMatchObject({ remaining: 1 });
  });

  test("books places from the moment at which the clock stands", () => {
    trace("token-bucket", "10/s burst 1", [
      { at: 0, cost: 1, remaining: 0, resetAfterMs: 100 },
      { at: -50, cost: 1, maxWaitMs: 149, limited: true, remaining: 0, resetAfterMs: 150, retryAfterMs: 150 },
      { at: -50, cost: 1, maxWaitMs: 150, remaining: 0, resetAfterMs: 100, waitMs: 150 },
      { at: -50, cost: 1, limited: true, remaining: 0, resetAfterMs: 250, retryAfterMs: 250 },
    ]);
  });
});
