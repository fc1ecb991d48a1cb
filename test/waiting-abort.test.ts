import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { type Duration, MemoryStore, Throttled } from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { pass, turn } from "./support/manual-time.js";
import { RemoteStore } from "./support/remote-store.js";

const START = 1_700_000_000_000;
const reason = new Error("enough");

function setUp(quota: string) {
  const clock = new ManualClock(START);
  const server = new MemoryStore({ clock });
  const store = new RemoteStore(clock, server);
  const limiter = new Throttled({ quota, store });
  const served: [unknown, number][] = [];
  const wait = (name: unknown, cost = 1, from = limiter): AbortController => {
    const controller = new AbortController();
    from.limit("k", { cost, timeout: "1w", signal: controller.signal }).then(
      ({ limited }) => served.push([name, limited ? Number.NaN : clock.now() - START]),
      () => {},
    );
    return controller;
  };
  const elsewhere = () => new Throttled({ quota, store: new RemoteStore(clock, server) });
  return { clock, server, store, limiter, served, wait, elsewhere };
}

describe("a signal that is aborted", () => {
  test("before the call: nothing is asked of the store", async () => {
    const { store, limiter } = setUp("1/s");
    const signal = AbortSignal.abort(reason);
    await expect(limiter.limit("k", { signal })).rejects.toBe(reason);
    await expect(limiter.acquire("k", { signal, timeout: "1s" })).rejects.toBe(reason);
    await expect(limiter.run("k", () => {}, { signal })).rejects.toBe(reason);
    expect(store.asked).toEqual([]);
  });

  test.each<[string, number, Duration]>([
    ["would have passed", 0, "1d"],
    ["would have passed without a timeout", 0, 0],
    ["would have waited", 5, "1d"],
  ])("while the store is asked: what %s is given back", async (_what, spent, timeout) => {
    const { clock, store, limiter } = setUp("5/h");
    if (spent > 0) await limiter.limit("k", spent);
    const before = await limiter.peek("k");
    const release = store.hold();
    const controller = new AbortController();
    const call = limiter.limit("k", { cost: 2, timeout, signal: controller.signal });
    await turn();
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    release();
    await turn();
    expect(await limiter.peek("k")).toEqual(before);
    expect(clock.sleepers).toBe(0);
  });

  test("while the store is asked for a cost of 0, or refuses: nothing is given back", async () => {
    const { store, limiter } = setUp("5/h");
    await limiter.limit("k", 5);
    const release = store.hold();
    for (const cost of [0, 1]) {
      const controller = new AbortController();
      const call = limiter.limit("k", { cost, signal: controller.signal });
      await turn();
      controller.abort(reason);
      await expect(call).rejects.toBe(reason);
    }
    release();
    await turn();
    expect(store.asked).toEqual([5, 0, 1]);
  });

  test("while the call waits: it rejects at once, and leaves no trace", async () => {
    const { clock, limiter } = setUp("1/s");
    await limiter.limit("k");
    const controller = new AbortController();
    const call = limiter.limit("k", { timeout: "1m", signal: controller.signal });
    await pass(clock, 300);
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(await limiter.peek("k")).toEqual({ limit: 1, remaining: 0, resetAfterMs: 700, retryAfterMs: 700 });
    expect(clock.sleepers).toBe(0);
  });

  test.each([undefined, null, 0, "text"])(
    "with %o as reason: that is what the call rejects with",
    async (given) => {
      const { limiter } = setUp("1/s");
      await limiter.limit("k");
      const controller = new AbortController();
      const call = limiter.limit("k", { timeout: "1m", signal: controller.signal });
      await turn();
      controller.abort(given);
      const caught = await call.catch((error: unknown) => error);
      expect(caught).toBe(controller.signal.reason);
      if (given === undefined) expect(caught).toMatchObject({ name: "AbortError" });
    },
  );

  test("after the call: nothing happens", async () => {
    const { clock, store, limiter, served, wait } = setUp("1/s");
    const [first, second] = [wait("first"), wait("second")];
    await pass(clock, 1_000);
    first.abort(reason);
    second.abort(reason);
    await turn();
    expect(served).toHaveLength(2);
    expect(store.asked).toEqual([1, 1]);
    expect((await limiter.peek("k")).resetAfterMs).toBe(1_000);
  });

  test("just after a call that was answered at once: its answer stands, as it was charged", async () => {
    const limiter = new Throttled({ quota: "5/h", store: new MemoryStore({ clock: new ManualClock() }) });
    const controller = new AbortController();
    const call = limiter.limit("k", { cost: 2, signal: controller.signal });
    controller.abort(reason);
    expect(await call).toMatchObject({ limited: false, remaining: 3 });
    expect(limiter.peekSync("k").remaining).toBe(3);
  });

  test("for several calls at once: all of them reject", async () => {
    const { clock, limiter } = setUp("1/s");
    const controller = new AbortController();
    const { signal } = controller;
    const calls = Array.from({ length: 5 }, () => limiter.limit("k", { timeout: "1m", signal }));
    await turn();
    controller.abort(reason);
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", ...Array(4).fill("rejected")]);
    await turn();
    expect((await limiter.peek("k")).resetAfterMs).toBe(1_000);
    expect(clock.sleepers).toBe(0);
  });
});

describe("aborting those who wait", () => {
  test("lets the others move up: half of 200 need half the time", async () => {
    const { clock, store, limiter, served, wait } = setUp("100/s burst 1");
    const controllers = Array.from({ length: 200 }, (_, name) => wait(name));
    await turn();
    for (let name = 1; name < 200; name += 2) controllers[name]!.abort(reason);
    await pass(clock, 990);
    expect(served).toEqual(Array.from({ length: 100 }, (_, i) => [i * 2, i * 10]));
    expect((await limiter.peek("k")).resetAfterMs).toBe(10);
    expect(clock.sleepers).toBe(0);
    expect(store.asked.length).toBeLessThanOrEqual(1.1 * 200 + 100 + 1);
  });

  test("lets the others move up also in the middle of the queue's life", async () => {
    const { clock, served, wait } = setUp("1/s");
    const controllers = [0, 1, 2, 3, 4, 5].map((name) => wait(name));
    await pass(clock, 1_500);
    controllers[2]!.abort(reason);
    controllers[4]!.abort(reason);
    await pass(clock, 1_500);
    expect(served).toEqual([
      [0, 0],
      [1, 1_000],
      [3, 2_000],
      [5, 3_000],
    ]);
  });

  test("lets a big one behind a small one move up", async () => {
    const { clock, served, wait } = setUp("1/s burst 3");
    wait("all", 3);
    const small = wait("small", 1);
    wait("big", 3);
    await turn();
    small.abort(reason);
    await pass(clock, 4_000);
    expect(served).toEqual([
      ["all", 0],
      ["big", 3_000],
    ]);
  });

  test("lets a small one behind a big one move up", async () => {
    const { clock, served, wait } = setUp("1/s burst 3");
    wait("all", 3);
    const big = wait("big", 3);
    wait("small", 1);
    await turn();
    big.abort(reason);
    await pass(clock, 4_000);
    expect(served).toEqual([
      ["all", 0],
      ["small", 1_000],
    ]);
  });

  test("lets whoever comes later, anywhere, find a shorter queue, and nobody overtakes", async () => {
    const { clock, served, wait, elsewhere } = setUp("1/s");
    const controllers = [0, 1, 2, 3].map((name) => wait(name));
    await turn();
    controllers[1]!.abort(reason);
    controllers[2]!.abort(reason);
    await turn();
    wait("elsewhere", 1, elsewhere());
    wait("here");
    await pass(clock, 3_000);
    expect(served).toEqual([
      [0, 0],
      [3, 1_000],
      ["elsewhere", 2_000],
      ["here", 3_000],
    ]);
  });

  test("does not let a newcomer elsewhere overtake those who wait here, whatever they cost", async () => {
    const { clock, served, wait, elsewhere } = setUp("1/s burst 3");
    wait("all", 3);
    const big = wait("big", 3);
    wait("small", 1);
    await turn();
    big.abort(reason);
    await turn();
    wait("newcomer", 1, elsewhere());
    await pass(clock, 4_000);
    expect(served.map(([name]) => name)).toEqual(["all", "small", "newcomer"]);
  });

  test("one by one until nobody is left makes the key as if nobody had waited", async () => {
    const { clock, limiter, wait } = setUp("5/s burst 7");
    await limiter.limit("k", 5);
    const before = await limiter.peek("k");
    const controllers = [3, 7, 2, 5, 1].map((cost) => wait(cost, cost));
    await turn();
    for (const index of [2, 0, 4, 1, 3]) {
      controllers[index]!.abort(reason);
      await turn();
    }
    expect(await limiter.peek("k")).toEqual(before);
    expect(clock.sleepers).toBe(0);
  });
});

describe("a signal that lives on", () => {
  test("keeps no listener of a call that is over", async () => {
    const { clock, limiter } = setUp("2/s");
    const { signal } = new AbortController();
    await limiter.limit("k", { signal });
    await limiter.acquire("k", { signal });
    expect((await limiter.limit("k", { signal })).limited).toBe(true);
    const waiting = limiter.limit("k", { signal, timeout: "1s" });
    await turn();
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await pass(clock, 500);
    await waiting;
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("keeps no listener of a call that failed in the store", async () => {
    const { store, limiter } = setUp("2/s");
    const { signal } = new AbortController();
    store.failsOn = () => true;
    await expect(limiter.limit("k", { signal })).rejects.toThrow("the server is gone");
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});
