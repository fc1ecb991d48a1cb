import { describe, expect, test, vi } from "vitest";
import { Limiter } from "../../src/algorithms/limiter.js";
import {
  type Answer,
  isStoreError,
  MemoryStore,
  type SemaphoreRequest,
  type Store,
  StoreError,
  Throttled,
} from "../../src/index.js";
import { FailurePolicy, type OnUnavailable, outage } from "../../src/stores/failure-policy.js";
import { ManualClock } from "../../src/testing.js";

/** A store that works, or fails in one way, behind a policy. */
class Flaky implements Store {
  readonly name = "flaky";
  readonly sync = false;
  readonly backend: MemoryStore;
  readonly #policy: FailurePolicy;
  error: Error | undefined;

  constructor(
    onUnavailable: OnUnavailable,
    readonly clock = new ManualClock(),
  ) {
    this.backend = new MemoryStore({ clock });
    this.#policy = new FailurePolicy(onUnavailable);
  }

  async decide(...[limiter, key, cost, maxWaitMs, booking]: Parameters<Store["decide"]>): Promise<Answer> {
    if (this.error) return this.#policy.answer(this.error, limiter, key, cost, maxWaitMs, booking);
    return this.backend.decide(limiter, key, cost, maxWaitMs, booking);
  }

  reset(limiter: Limiter, key: string): Promise<void> {
    return this.#policy.reset(limiter, key, async () => {
      if (this.error) throw this.error;
      this.backend.reset(limiter, key);
    });
  }
}

const DOWN = outage("flaky", "decide", "it is down", "unreachable");
const BAD_KEY = new StoreError("flaky", "decide", "WRONGTYPE");

function throttleOn<P extends OnUnavailable>(onUnavailable: P, error?: Error) {
  const store = new Flaky(onUnavailable);
  store.error = error;
  return { store, throttle: new Throttled({ store, quota: "5/m", key: "key" }) };
}

describe('While a store is unavailable, "throw"', () => {
  test.each([
    ["limit", (t: Throttled<Store>) => t.limit()],
    ["a limit that may wait", (t: Throttled<Store>) => t.limit("key", { timeout: "1m" })],
    ["acquire", (t: Throttled<Store>) => t.acquire()],
    ["peek", (t: Throttled<Store>) => t.peek()],
    ["refund", (t: Throttled<Store>) => t.refund()],
    ["reset", (t: Throttled<Store>) => t.reset()],
    ["limitMany", (t: Throttled<Store>) => t.limitMany(["one", "other"])],
    ["run", (t: Throttled<Store>) => t.run(() => "never")],
  ])("fails %s with a StoreError", async (_name, call) => {
    const { throttle } = throttleOn("throw", DOWN);
    const error = await call(throttle).catch((reason) => reason);
    expect(isStoreError(error)).toBe(true);
    expect(error).toMatchObject({ name: "StoreError", store: "flaky", operation: "decide" });
    expect(error.message).toBe("The flaky store failed to decide: it is down");
  });

  test("fails the settling of a permit from before", async () => {
    const { store, throttle } = throttleOn("throw");
    const permit = await throttle.acquire("key", 3);
    store.error = DOWN;
    await expect(permit.settle(5)).rejects.toBe(DOWN);
  });
});

describe('While a store is unavailable, "allow"', () => {
  const fresh = { limit: 5, remaining: 5, resetAfterMs: 0, retryAfterMs: 0 };

  test("lets every call pass as a fresh key would", async () => {
    const { throttle } = throttleOn("allow", DOWN);
    const passed = { limited: false, quotaIndex: 0, source: "policy", limit: 5, retryAfterMs: 0 };
    for (let i = 0; i < 10; i++) {
      expect(await throttle.limit()).toEqual({ ...passed, remaining: 4, resetAfterMs: 12_000 });
    }
    expect(await throttle.limit("key", { cost: 5, timeout: "1m" })).toMatchObject({
      ...passed,
      remaining: 0,
    });
  });

  test("shows a fresh key", async () => {
    const { throttle } = throttleOn("allow", DOWN);
    expect(await throttle.peek()).toEqual(fresh);
    expect(await throttle.limit("key", 0)).toEqual({
      ...fresh,
      limited: false,
      quotaIndex: 0,
      source: "policy",
    });
  });

  test("refuses a cost that can never pass", async () => {
    const { throttle } = throttleOn("allow", DOWN);
    const refused = { limited: true, source: "policy", retryAfterMs: Number.POSITIVE_INFINITY };
    expect(await throttle.limit("key", 6)).toMatchObject(refused);
    expect(await throttle.limit("key", Number.MAX_SAFE_INTEGER)).toMatchObject(refused);
  });

  test("takes refund, reset and settle for done", async () => {
    const { throttle } = throttleOn("allow", DOWN);
    await throttle.refund("key", 3);
    await throttle.reset();
    const permit = await throttle.acquire("key", 2);
    await permit.settle(50);
  });
});

describe('While a store is unavailable, "deny"', () => {
  const denied = { limit: 5, remaining: 0, resetAfterMs: 1_000, retryAfterMs: 1_000 };

  test("refuses every call for a second", async () => {
    const { throttle } = throttleOn("deny", DOWN);
    const refused = { ...denied, limited: true, quotaIndex: 0, source: "policy" };
    expect(await throttle.limit()).toEqual(refused);
    expect(await throttle.limit("key", { cost: 5, timeout: "1m" })).toEqual(refused);
    await expect(throttle.acquire()).rejects.toMatchObject({ name: "LimitedError", result: refused });
  });

  test("shows a key with nothing left, and takes an answer to cost 0 for no spending", async () => {
    const { throttle } = throttleOn("deny", DOWN);
    expect(await throttle.peek()).toEqual(denied);
    expect(await throttle.limit("key", 0)).toMatchObject({ limited: false, remaining: 0, retryAfterMs: 0 });
  });

  test("says that a cost that can never pass never will, with nothing left", async () => {
    const { throttle } = throttleOn("deny", DOWN);
    const result = await throttle.limit("key", 6);
    expect(result).toMatchObject({ limited: true, remaining: 0, retryAfterMs: Number.POSITIVE_INFINITY });
  });

  test("takes refund, reset and settle for done", async () => {
    const { store, throttle } = throttleOn("deny");
    const permit = await throttle.acquire();
    store.error = DOWN;
    await throttle.refund();
    await throttle.reset();
    await permit.settle(3);
  });
});

describe("While a store is unavailable, a store to fall back on", () => {
  function fallback() {
    const clock = new ManualClock();
    const local = new MemoryStore({ clock });
    return { clock, local, ...throttleOn(local, DOWN) };
  }

  test("limits on its own, says so, and gives the word back", async () => {
    const { store, throttle } = fallback();
    for (let left = 4; left >= 0; left--) {
      const result = await throttle.limit();
      expect(result).toMatchObject({ limited: false, source: "fallback", remaining: left });
      expect(result).not.toHaveProperty("by");
    }
    expect(await throttle.limit()).toMatchObject({ limited: true, source: "fallback", retryAfterMs: 12_000 });
    expect(await throttle.peek()).toMatchObject({ remaining: 0 });
    store.error = undefined;
    expect(await throttle.limit()).toMatchObject({ limited: false, source: "store", remaining: 4 });
  });

  test("takes refund, reset and settle", async () => {
    const { throttle } = fallback();
    const permit = await throttle.acquire("key", 3);
    await permit.settle(5);
    expect(await throttle.peek()).toMatchObject({ remaining: 0 });
    await throttle.refund("key", 2);
    expect(await throttle.peek()).toMatchObject({ remaining: 2 });
    await throttle.reset();
    expect(await throttle.peek()).toMatchObject({ remaining: 5 });
  });

  test("is named in the answer, as only it can give back what it charged", async () => {
    const { local, store } = fallback();
    const answer = await store.decide(new Limiter("token-bucket", "5/m"), "key", 1, 0);
    expect(answer).toMatchObject({ by: local, source: "fallback" });
  });

  test("gets back what it charged, also when the store is there again", async () => {
    const { local, store, throttle } = fallback();
    const permit = await throttle.acquire("key", 4);
    store.error = undefined;
    await permit.refund();
    expect(local.decide(new Limiter("token-bucket", "5/m"), "key", 0, 0)).toMatchObject({ remaining: 5 });
    expect(store.backend.size).toBe(0);
  });

  test("gets the places back that it booked, also when the store is there again", async () => {
    const { clock, store, throttle } = fallback();
    await throttle.limit("key", 5);
    const before = await throttle.peek();
    const abort = new AbortController();
    const waiting = throttle.limit("key", { timeout: "1m", signal: abort.signal });
    await vi.waitFor(() => expect(clock.sleepers).toBe(1));
    store.error = undefined;
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    store.error = DOWN;
    await vi.waitFor(async () => expect(await throttle.peek()).toEqual(before));
    expect(store.backend.size).toBe(0);
  });

  test("is not given the places that the store booked", async () => {
    const { local, store } = fallback();
    const limiter = new Limiter("token-bucket", "5/m");
    store.error = undefined;
    await store.decide(limiter, "key", 5, 0);
    const { booking } = await store.decide(limiter, "key", 1, 60_000);
    store.error = DOWN;
    await store.decide(limiter, "key", 5, 0);
    await store.decide(limiter, "key", -1, 0, booking).catch(() => {});
    expect(local.decide(limiter, "key", 0, 0)).toMatchObject({ remaining: 0 });
  });

  test("fails the call when it fails itself", async () => {
    const { throttle } = throttleOn(throttleOn("throw", DOWN).store, DOWN);
    await expect(throttle.limit()).rejects.toBe(DOWN);
  });
});

describe("A semaphore on a store to fall back on", () => {
  const RULES = { capacity: 1, maxWaiting: 1 };
  const request = (act: SemaphoreRequest["act"]): SemaphoreRequest => ({
    act,
    id: "me",
    permits: 1,
    leaseMs: 300,
  });

  test("gives permits to those who ask, and keeps none that the other gave", async () => {
    const local = new MemoryStore({ clock: new ManualClock() });
    const policy = new FailurePolicy(local);
    for (const act of ["acquire", "wait"] as const)
      expect(await policy.arrange(DOWN, "key", RULES, request(act))).toMatchObject({
        status: "held",
        by: local,
      });
    for (const act of ["renew", "release"] as const)
      await expect(policy.arrange(DOWN, "key", RULES, request(act))).rejects.toBe(DOWN);
    expect(local.arrange("key", RULES)).toMatchObject({ inUse: 1 });
  });

  test("hands on its news, and says who they are from", async () => {
    const local = Object.assign(new MemoryStore(), { arrange: vi.fn(() => ({})) });
    const onNews = vi.fn();
    await new FailurePolicy(local as unknown as Store).arrange(DOWN, "key", RULES, {
      ...request("wait"),
      onNews,
    });
    const [[, , asked]] = local.arrange.mock.calls as unknown as [[string, object, SemaphoreRequest]];
    const standing = { status: "held", token: 7, leftMs: 300 } as const;
    const gone = new Error("gone");
    asked.onNews!();
    asked.onNews!(gone);
    asked.onNews!(standing);
    expect(onNews.mock.calls).toEqual([[undefined], [gone], [{ ...standing, by: local }]]);
  });
});

describe("An error that the input caused", () => {
  test.each(["throw", "allow", "deny", new MemoryStore()] as OnUnavailable[])(
    "fails the call whatever the policy: %s",
    async (policy) => {
      const { throttle } = throttleOn(policy, BAD_KEY);
      for (const call of [throttle.limit(), throttle.peek(), throttle.refund(), throttle.reset()]) {
        await expect(call).rejects.toBe(BAD_KEY);
      }
      const { throttle: broken } = throttleOn(policy, new TypeError("a bug"));
      await expect(broken.limit()).rejects.toThrow(TypeError);
    },
  );
});

describe("A policy refuses", () => {
  const expected = 'Expected `onUnavailable` to be "throw", "allow", "deny" or a store, got';
  test.each([
    ["maybe", '"maybe"'],
    [null, "null"],
    [true, "true"],
    [{}, "an object"],
    [() => "allow", "a function"],
    [{ decide: 1 }, "an object"],
  ])("%s", (policy, shown) => {
    expect(() => new FailurePolicy(policy)).toThrow(new TypeError(`${expected} ${shown}`));
  });
});

test("the policy is not asked while the store answers", async () => {
  const local = new MemoryStore();
  const asked = vi.spyOn(local, "decide");
  const { throttle } = throttleOn(local);
  expect(await throttle.limit()).toMatchObject({ source: "store" });
  await throttle.reset();
  expect(asked).not.toHaveBeenCalled();
});
