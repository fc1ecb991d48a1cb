import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryStore, Throttled } from "../src/index.js";
import { FailurePolicy, outage } from "../src/stores/failure-policy.js";
import { ManualClock } from "../src/testing.js";
import { pass, turn } from "./support/manual-time.js";
import { RemoteStore } from "./support/remote-store.js";

const reason = new Error("enough");
const unhandled: unknown[] = [];
const listener = (error: unknown): void => void unhandled.push(error);

beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", listener);
});

afterEach(async () => {
  await turn();
  process.off("unhandledRejection", listener);
  expect(unhandled).toEqual([]);
});

function setUp() {
  const clock = new ManualClock();
  const store = new RemoteStore(clock);
  return { clock, store, limiter: new Throttled({ quota: "1/s", store, timeout: "1w" }) };
}

test("a call that the store fails rejects with that failure, and the next one starts afresh", async () => {
  const { store, limiter } = setUp();
  store.failsOn = () => true;
  await expect(limiter.limit("k")).rejects.toThrow("the server is gone");
  await expect(limiter.peek("k")).rejects.toThrow("the server is gone");
  await expect(limiter.refund("k")).rejects.toThrow("the server is gone");
  store.failsOn = () => false;
  expect((await limiter.limit("k")).limited).toBe(false);
});

test("an abort while the failing store is asked rejects with the reason, and once", async () => {
  const { store, limiter } = setUp();
  store.failsOn = () => true;
  const controller = new AbortController();
  const call = limiter.limit("k", { signal: controller.signal });
  controller.abort(reason);
  await expect(call).rejects.toBe(reason);
});

test("a store that fails when an aborted call gives back changes neither its answer nor anybody's wait", async () => {
  const { clock, store, limiter } = setUp();
  const start = clock.now();
  const moments: number[] = [];
  void limiter.limit("k");
  await turn();
  const controller = new AbortController();
  const aborted = limiter.limit("k", { signal: controller.signal });
  await turn();
  for (let i = 0; i < 2; i++) void limiter.limit("k").then(() => moments.push(clock.now() - start));
  await turn();
  store.failsOn = (cost) => cost < 0;
  controller.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  await pass(clock, 2_000);
  expect(moments).toEqual([1_000, 2_000]);
  expect(clock.sleepers).toBe(0);
});

test("a store that fails when an abort during the store call gives back harms nobody", async () => {
  const { store, limiter } = setUp();
  const release = store.hold();
  const controller = new AbortController();
  const call = limiter.limit("k", { signal: controller.signal });
  await turn();
  store.failsOn = (cost) => cost < 0;
  controller.abort(reason);
  release();
  await expect(call).rejects.toBe(reason);
});

test("a store that fails when a failed call is refunded at once harms nobody", () => {
  class Leaky extends MemoryStore {
    override decide(...args: Parameters<MemoryStore["decide"]>): ReturnType<MemoryStore["decide"]> {
      if (args[2] < 0) throw new Error("the memory is gone");
      return super.decide(...args);
    }
  }
  const limiter = new Throttled({ key: "k", store: new Leaky({ clock: new ManualClock() }) });
  const fail = (): never => {
    throw new Error("fn failed");
  };
  expect(limiter.wrapSync(fail, { refundOnError: true })).toThrow("fn failed");
});

test("a refund that the store fails while others wait rejects, and the next in line still goes", async () => {
  const { clock, store, limiter } = setUp();
  const served: number[] = [];
  for (let i = 0; i < 3; i++) void limiter.limit("k").then(() => served.push(i));
  await turn();
  store.failsOn = (cost) => cost < 0;
  await expect(limiter.refund("k")).rejects.toThrow("the server is gone");
  expect(served).toEqual([0, 1]);
  await pass(clock, 1_000);
  expect(served).toEqual([0, 1, 2]);
});

test("a clock that fails to sleep makes those who wait reject with its failure, and gives their units back", async () => {
  class BrokenClock extends ManualClock {
    override sleep(): Promise<void> {
      return Promise.reject(new Error("the clock stopped"));
    }
  }
  const limiter = new Throttled({
    quota: "1/s",
    store: new MemoryStore({ clock: new BrokenClock() }),
    timeout: "1w",
  });
  const outcomes = await Promise.allSettled([0, 1, 2].map(() => limiter.limit("k")));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  expect(outcomes[2]).toMatchObject({ reason: new Error("the clock stopped") });
  expect(limiter.peekSync("k").resetAfterMs).toBe(1_000);
  await expect(limiter.limit("k")).rejects.toThrow("the clock stopped");
});

test("a wait at the store to fall back on ends with its numbers, and a refund goes there", async () => {
  const clock = new ManualClock();
  const fallback = new MemoryStore({ clock });
  const policy = new FailurePolicy(fallback);
  const store = new RemoteStore(clock);
  store.decide = async (limiter, key, cost, maxWaitMs, booking) => {
    const error = outage("remote", "decide", "out of reach", "unreachable");
    return policy.answer(error, limiter, key, cost, maxWaitMs, booking);
  };
  const limiter = new Throttled({ quota: "1/s", store, timeout: "1w" });
  await limiter.limit("k");
  const acquired = limiter.acquire("k");
  await pass(clock, 1_000);
  const permit = await acquired;
  expect(permit).toMatchObject({ limit: 1, remaining: 0, resetAfterMs: 1_000, retryAfterMs: 0 });
  const there = new Throttled({ quota: "1/s", store: fallback });
  expect(there.peekSync("k").remaining).toBe(0);
  await permit.refund();
  expect(there.peekSync("k").remaining).toBe(1);
});

test("what a policy let pass is given back to nobody", async () => {
  const { store, limiter } = setUp();
  const decide = store.decide.bind(store);
  store.decide = async (...call) => ({ ...(await decide(...call)), source: "policy" });
  const permit = await limiter.acquire("k");
  await permit.refund();
  expect(store.asked).toEqual([1]);
});

test("a place that is booked anew while a policy answers stays that of the store", async () => {
  const clock = new ManualClock();
  const store = new RemoteStore(clock);
  const limiter = new Throttled({ quota: "3/3s", store, timeout: "1w" });
  await limiter.limit("k", 3);
  const controller = new AbortController();
  const first = limiter.limit("k", { cost: 1, signal: controller.signal });
  await turn();
  const last = limiter.acquire("k", 3);
  await turn();
  const decide = store.decide.bind(store);
  store.decide = async (...call) => {
    const decision = await decide(...call);
    const { booking, ...result } = decision;
    return call[3] === Number.MAX_SAFE_INTEGER ? { ...result, source: "policy" } : decision;
  };
  controller.abort(reason);
  await expect(first).rejects.toBe(reason);
  await pass(clock, 4_000);
  const permit = await last;
  store.decide = decide;
  await permit.refund();
  // A policy would have nothing to give back to.
  expect(store.asked.at(-1)).toBe(-3);
});
