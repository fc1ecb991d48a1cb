import { describe, expect, test } from "vitest";
import { type AlgorithmName, MemoryStore, Throttled } from "../src/index.js";
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

describe.each(ALGORITHMS)("refund under %s", (using) => {
  const setUp = () =>
    new Throttled({ using, quota: "5/h", store: new MemoryStore({ clock: new ManualClock() }) });

  test("puts units back that can be spent again", async () => {
    const limiter = setUp();
    limiter.limitSync("k", 5);
    expect(await limiter.refund("k", 2)).toBeUndefined();
    expect(limiter.peekSync("k").remaining).toBe(2);
    expect(limiter.limitSync("k", 3).limited).toBe(true);
    expect(limiter.limitSync("k", 2).limited).toBe(false);
  });

  test("never makes more of a key than a fresh one", async () => {
    const limiter = setUp();
    limiter.limitSync("k", 1);
    await limiter.refund("k", 100);
    await limiter.refund("unused", 100);
    for (const key of ["k", "unused"]) {
      expect(limiter.peekSync(key)).toEqual({ limit: 5, remaining: 5, resetAfterMs: 0, retryAfterMs: 0 });
      expect(limiter.limitSync(key, 5).limited).toBe(false);
      expect(limiter.limitSync(key).limited).toBe(true);
    }
  });
});

test("a refund of 0 asks nothing of the store", async () => {
  const store = new RemoteStore(new ManualClock());
  await new Throttled({ store }).refund("k", 0);
  expect(store.asked).toEqual([]);
});

test("a refund of one key gives nothing to another", async () => {
  const limiter = new Throttled({
    key: "own",
    quota: "1/h",
    store: new MemoryStore({ clock: new ManualClock() }),
  });
  limiter.limitSync("k");
  limiter.limitSync();
  await limiter.refund();
  expect(limiter.limitSync("k").limited).toBe(true);
  expect(limiter.limitSync("own").limited).toBe(false);
});

describe("a refund while others wait", () => {
  function queue(quota: string, count: number) {
    const clock = new ManualClock();
    const store = new RemoteStore(clock);
    const limiter = new Throttled({ quota, store, timeout: "1h" });
    const moments: [unknown, number][] = [];
    const start = clock.now();
    const joinFor = (name: unknown, cost: number): AbortController => {
      const controller = new AbortController();
      const served = limiter.limit("k", { cost, signal: controller.signal });
      served.then(
        () => moments.push([name, clock.now() - start]),
        () => {},
      );
      return controller;
    };
    const join = (name: number): AbortController => joinFor(name, 1);
    for (let name = 0; name < count; name++) join(name);
    return { clock, store, limiter, moments, join, joinFor };
  }

  test("lets the first of them go at once, and everybody else move up a place", async () => {
    const { clock, limiter, moments } = queue("1/s", 4);
    await pass(clock, 500);
    await limiter.refund("k", 1);
    await pass(clock, 2_500);
    expect(moments).toEqual([
      [0, 0],
      [1, 500],
      [2, 1_000],
      [3, 2_000],
    ]);
  });

  test("of a permit lets the first of them go at once as well", async () => {
    const { clock, limiter, moments, join } = queue("1/s", 0);
    const permit = await limiter.acquire("k");
    for (const name of [1, 2]) join(name);
    await pass(clock, 500);
    await permit.refund();
    await pass(clock, 500);
    expect(moments).toEqual([
      [1, 500],
      [2, 1_000],
    ]);
  });

  test("leaves what nobody waits for to whoever comes next", async () => {
    const { clock, limiter, moments, join } = queue("5/s", 6);
    await pass(clock, 50);
    await limiter.refund("k", 3);
    join(6);
    join(7);
    join(8);
    await pass(clock, 150);
    expect(moments).toEqual([
      ...[0, 1, 2, 3, 4].map((name) => [name, 0]),
      [5, 50],
      [6, 50],
      [7, 50],
      [8, 200],
    ]);
  });

  test("lets the next in line go as soon as the units are there for it", async () => {
    const { clock, limiter, moments, joinFor } = queue("1/s burst 4", 0);
    joinFor("first", 1);
    joinFor("next", 4);
    await pass(clock, 100);
    await limiter.refund("k", 2);
    joinFor("newcomer", 1);
    await pass(clock, 1_000);
    expect(moments).toEqual([
      ["first", 0],
      ["next", 100],
      ["newcomer", 100],
    ]);
  });

  test("that is too small for the next in line reaches those behind when that one leaves", async () => {
    const { clock, limiter, moments, joinFor } = queue("1/s burst 4", 4);
    const next = joinFor("next", 3);
    joinFor("behind", 1);
    await pass(clock, 100);
    await limiter.refund("k", 1);
    next.abort(new Error("enough"));
    await pass(clock, 900);
    expect(moments.slice(4)).toEqual([["behind", 100]]);
    expect((await limiter.peek("k")).resetAfterMs).toBe(3_000);
  });

  test("of more than a fresh key could spend gives what is beyond to the store", async () => {
    const { clock, store, limiter, moments } = queue("1/s burst 4", 5);
    await pass(clock, 100);
    store.asked.length = 0;
    await limiter.refund("k", 10);
    await pass(clock, 100);
    expect(moments.at(-1)).toEqual([4, 100]);
    expect(store.asked).toEqual([-1, -3, -6]);
  });

  test("is seen by other processes as a shorter queue", async () => {
    const clock = new ManualClock();
    const server = new MemoryStore({ clock });
    const [here, there] = [0, 1].map(
      () => new Throttled({ quota: "1/s", store: new RemoteStore(clock, server), timeout: "1h" }),
    ) as [Throttled<RemoteStore>, Throttled<RemoteStore>];
    const moments: number[] = [];
    const start = clock.now();
    const join = (limiter: Throttled<RemoteStore>) =>
      void limiter.limit("k").then(() => moments.push(clock.now() - start));
    for (let i = 0; i < 3; i++) join(here);
    await pass(clock, 1);
    await here.refund("k", 1);
    join(there);
    await pass(clock, 1_999);
    expect(moments).toEqual([0, 1, 1_000, 2_000]);
  });
});
