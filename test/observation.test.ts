import { AsyncLocalStorage } from "node:async_hooks";
import diagnostics from "node:diagnostics_channel";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  type LimitEvent,
  MemoryStore,
  type RateLimitResult,
  type Store,
  StoreError,
  Throttled,
  type WaitEvent,
} from "../src/index.js";
import { RedisStore } from "../src/redis.js";
import { ManualClock } from "../src/testing.js";
import { freePort } from "./support/redis-server.js";

/** Whose calls these are: other tests of this process may have left some that end only now. */
const ownCalls = new AsyncLocalStorage<object>();

/** Collects what the calls of a test publish until it ends. */
function listenTo<E>(channel: string): E[] {
  const events: E[] = [];
  const own = ownCalls.getStore() ?? {};
  ownCalls.enterWith(own);
  const listener = (event: unknown): void => {
    if (ownCalls.getStore() === own) events.push(event as E);
  };
  diagnostics.subscribe(channel, listener);
  onTestFinished(() => void diagnostics.unsubscribe(channel, listener));
  return events;
}

function manual(): { clock: ManualClock; store: MemoryStore } {
  const clock = new ManualClock();
  return { clock, store: new MemoryStore({ clock }) };
}

/** A store that can't be reached, in the way that a server can't. */
const DOWN: Store = {
  name: "down",
  sync: false,
  decide: () => Promise.reject(new StoreError("down", "decide", "it is gone", "unreachable")),
  reset: async () => {},
};

describe("the channel throttled:limit", () => {
  test("has an event of every decision, with who asked, what it cost, and what came of it", async () => {
    const events = listenTo<LimitEvent>("throttled:limit");
    const throttle = new Throttled({ using: "gcra", quota: "3/m", store: manual().store });
    const results = [await throttle.limit("ann", 2), await throttle.limit("ann", 2)];
    expect(events).toEqual(
      results.map((result) => ({
        algorithm: "gcra",
        quotas: throttle.quotas,
        store: "memory",
        key: "ann",
        cost: 2,
        durationMs: expect.any(Number),
        result,
      })),
    );
    expect(events.map(({ result }) => result?.limited)).toEqual([false, true]);
    expect(events[0]!.durationMs).toBeGreaterThan(0);
  });

  test("says how long the store took, whether it answered or failed", async () => {
    const events = listenTo<LimitEvent>("throttled:limit");
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const take = (ms: number) => void vi.advanceTimersByTime(ms);
    const { store } = manual();
    const decide = store.decide.bind(store);
    store.decide = (...call) => {
      take(20);
      return decide(...call);
    };
    new Throttled({ key: "k", store }).limitSync();
    const failing = Object.assign(new MemoryStore(), {
      decide: () => {
        take(30);
        throw new Error("broken");
      },
    });
    expect(() => new Throttled({ key: "k", store: failing }).limitSync()).toThrow("broken");
    const slow = new Throttled({
      key: "k",
      store: { ...DOWN, decide: async () => Promise.reject(take(40)) },
    });
    await slow.limit().catch(() => {});
    expect(events.map(({ durationMs }) => Math.round(durationMs))).toEqual([20, 30, 40]);
  });

  test("has one event of each call, whichever way it was made", async () => {
    const events = listenTo<LimitEvent>("throttled:limit");
    const throttle = new Throttled({ key: "k", quota: "20/m", store: manual().store });
    const ways: Record<string, () => unknown> = {
      limit: () => throttle.limit(),
      "limit with options": () => throttle.limit("k", { timeout: "1s" }),
      limitSync: () => throttle.limitSync(),
      acquire: () => throttle.acquire(),
      acquireSync: () => throttle.acquireSync(),
      run: () => throttle.run(() => {}),
      wrap: () => throttle.wrap(() => {})(),
      wrapSync: () => throttle.wrapSync(() => {})(),
    };
    for (const [way, call] of Object.entries(ways)) {
      await call();
      expect(events.splice(0), way).toHaveLength(1);
    }
    await throttle.limitMany(["a", { key: "b", cost: 2 }]);
    expect(events.splice(0).map(({ key, cost, result }) => [key, cost, result?.remaining])).toEqual([
      ["a", 1, 19],
      ["b", 2, 18],
    ]);
  });

  test("has none of what spends nothing by itself: peek, refund and reset", async () => {
    const events = listenTo("throttled:limit");
    const throttle = new Throttled({ key: "k", store: manual().store });
    await throttle.peek();
    throttle.peekSync();
    await throttle.refund();
    await throttle.reset();
    expect(events).toEqual([]);
  });

  test("has the error of a call that the store did not answer, and the caller gets it as well", async () => {
    const events = listenTo<LimitEvent>("throttled:limit");
    const throttle = new Throttled({ key: "k", store: DOWN });
    await expect(throttle.limit()).rejects.toThrow("it is gone");
    await expect(throttle.limitMany(["a", "b"])).rejects.toThrow("it is gone");
    expect(events.map(({ key, error, result }) => [key, String(error), result])).toEqual(
      ["k", "a", "b"].map((key) => [
        key,
        "StoreError: The down store failed to decide: it is gone",
        undefined,
      ]),
    );
  });

  test("has the error of a store that throws at once", () => {
    const events = listenTo<LimitEvent>("throttled:limit");
    const broken = Object.assign(new MemoryStore(), {
      decide: () => {
        throw new Error("broken");
      },
    });
    expect(() => new Throttled({ key: "k", store: broken }).limitSync()).toThrow("broken");
    expect(events.map(({ error }) => String(error))).toEqual(["Error: broken"]);
  });

  test("does not hear of bad input, as nothing is decided then", async () => {
    const events = listenTo("throttled:limit");
    await expect(new Throttled().limit("k", -1)).rejects.toThrow(RangeError);
    expect(events).toEqual([]);
  });
});

describe("the channel throttled:wait", () => {
  test("has an event of every wait that ended, and of who went away before", async () => {
    const waits = listenTo<WaitEvent>("throttled:wait");
    const decisions = listenTo<LimitEvent>("throttled:limit");
    const { clock, store } = manual();
    const throttle = new Throttled({ key: "k", quota: "1/s", store, timeout: "10s" });
    const abort = new AbortController();
    await throttle.limit();
    const second = throttle.limit();
    const third = throttle.limit("k", { signal: abort.signal });
    expect(decisions.map(({ result }) => result?.limited)).toEqual([false, false, false]);
    abort.abort(new Error("enough"));
    await expect(third).rejects.toThrow("enough");
    await clock.advance(1_000);
    await second;
    const told = { algorithm: "token-bucket", quotas: throttle.quotas, store: "memory", key: "k", cost: 1 };
    expect(waits).toEqual([
      { ...told, waitedMs: expect.any(Number), error: new Error("enough") },
      { ...told, waitedMs: expect.any(Number) },
    ]);
  });

  test("says how long it took", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const waits = listenTo<WaitEvent>("throttled:wait");
    const { clock, store } = manual();
    const throttle = new Throttled({ key: "k", quota: "1/s", store, timeout: "1s" });
    await throttle.limit();
    const waiting = throttle.limit();
    vi.advanceTimersByTime(70);
    await clock.advance(1_000);
    await waiting;
    expect(waits.map(({ waitedMs }) => Math.round(waitedMs))).toEqual([70]);
  });

  test("has none of a call that goes at once, or that is refused at once", async () => {
    const waits = listenTo("throttled:wait");
    const throttle = new Throttled({ key: "k", quota: "1/h", store: manual().store, timeout: "1s" });
    expect([(await throttle.limit()).limited, (await throttle.limit()).limited]).toEqual([false, true]);
    expect(waits).toEqual([]);
  });
});

describe("the channel throttled:store-error", () => {
  test.each(["throw", "allow", "deny", new MemoryStore()] as const)(
    "has an event of every failure, also of one that a policy answers: %s",
    async (onUnavailable) => {
      const errors = listenTo("throttled:store-error");
      const port = await freePort();
      await using store = new RedisStore(`redis://127.0.0.1:${port}`, { onUnavailable, deadline: 50 });
      const throttle = new Throttled({ key: "k", store });
      await throttle.limit().catch(() => {});
      await throttle.reset().catch(() => {});
      const error = expect.any(StoreError);
      expect(errors).toEqual(
        ["decide", "reset"].map((operation) => ({ store: "redis", operation, reason: "timeout", error })),
      );
    },
  );

  test("tells a breaker that is open and a store that was closed from a server that is late", async () => {
    const errors = listenTo<{ reason: string }>("throttled:store-error");
    const store = new RedisStore(`redis://127.0.0.1:${await freePort()}`, {
      deadline: 50,
      breaker: { failures: 1, retryAfter: "1m" },
    });
    const throttle = new Throttled({ key: "k", store });
    for (let i = 0; i < 2; i++) await throttle.limit().catch(() => {});
    await store.close();
    await throttle.limit().catch(() => {});
    expect(errors.map(({ reason }) => reason)).toEqual(["timeout", "breaker-open", "closed"]);
  });
});

describe("listeners", () => {
  test("hear of each decision once, with its key and its result", async () => {
    const onAllowed = vi.fn();
    const onLimited = vi.fn();
    const throttle = new Throttled({ quota: "1/m", store: manual().store, onAllowed, onLimited });
    const results = await throttle.limitMany(["ann", "ann", "bob"]);
    expect(onAllowed.mock.calls).toEqual([
      ["ann", results[0]],
      ["bob", results[2]],
    ]);
    expect(onLimited.mock.calls).toEqual([["ann", results[1]]]);
  });

  test.each(["onAllowed", "onLimited"])("are told of theirs when there is only %s", (name) => {
    const listener = vi.fn();
    const throttle = new Throttled({ quota: "1/m", store: manual().store, [name]: listener });
    const results = [throttle.limitSync("ann"), throttle.limitSync("ann")];
    expect(listener.mock.calls).toEqual([["ann", results[name === "onAllowed" ? 0 : 1]]]);
  });

  test("can neither break nor repeat a decision: what they throw, at once or later, goes nowhere", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    onTestFinished(() => void process.off("unhandledRejection", unhandled));
    const told: RateLimitResult[] = [];
    const throttle = new Throttled({
      key: "k",
      quota: "1/m",
      store: manual().store,
      onAllowed: (_, result) => {
        told.push(result);
        throw new Error("broken");
      },
      onLimited: async (_, result) => {
        told.push(result);
        throw new Error("broken later");
      },
    });
    expect([throttle.limitSync().limited, (await throttle.limit()).limited]).toEqual([false, true]);
    expect(told).toHaveLength(2);
    await new Promise(setImmediate);
    expect(unhandled).not.toHaveBeenCalled();
  });

  test("hear nothing of a call that failed", async () => {
    const listener = vi.fn();
    const throttle = new Throttled({ key: "k", store: DOWN, onAllowed: listener, onLimited: listener });
    await expect(throttle.limit()).rejects.toThrow(StoreError);
    expect(listener).not.toHaveBeenCalled();
  });
});
