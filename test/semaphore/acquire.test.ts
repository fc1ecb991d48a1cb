import { describe, expect, test, vi } from "vitest";
import { isLimitedError, type Lease, LimitedError, MemoryStore, Semaphore } from "../../src/index.js";
import { turn } from "../support/manual-time.js";
import { onManualClock, Turns } from "../support/semaphores.js";

const reason = new Error("enough");

/** The numbers of a refusal. */
async function refusal(acquired: Promise<Lease>): Promise<LimitedError> {
  const error = await acquired.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(LimitedError);
  return error as LimitedError;
}

describe("acquire without a timeout", () => {
  test("takes permits as long as there are some, and is refused at once beyond", async () => {
    const { semaphore } = onManualClock({ capacity: 2 });
    const first = await semaphore.acquire("key");
    const second = await semaphore.acquire("key");
    expect([first.key, first.permits, second.permits]).toEqual(["key", 1, 1]);
    await expect(semaphore.acquire("key")).rejects.toThrow(LimitedError);
    await first.release();
    await semaphore.acquire("key");
    await expect(semaphore.acquire("key")).rejects.toThrow(LimitedError);
  });

  test("leaves no trace when it is refused: nobody stands in line", async () => {
    const { semaphore } = onManualClock({ capacity: 1 });
    const held = await semaphore.acquire("key");
    await expect(semaphore.acquire("key")).rejects.toThrow(LimitedError);
    expect(await semaphore.peek("key")).toEqual({ capacity: 1, inUse: 1, waiting: 0 });
    await held.release();
    expect(await semaphore.peek("key")).toEqual({ capacity: 1, inUse: 0, waiting: 0 });
  });

  test("does not go before those who wait, though a permit would be free for it", async () => {
    const { semaphore } = onManualClock({ capacity: 3 });
    await semaphore.acquire("key", { permits: 2 });
    void semaphore.acquire("key", { permits: 3, timeout: "1h" }).catch(() => {});
    await turn();
    const { result } = await refusal(semaphore.acquire("key"));
    expect(result.remaining).toBe(0);
  });

  test("of one key has nothing to do with other keys", async () => {
    const { semaphore } = onManualClock({ capacity: 1, key: "own" });
    await semaphore.acquire();
    await semaphore.acquire("other");
    await expect(semaphore.acquire("own")).rejects.toThrow(LimitedError);
    expect(await semaphore.peek()).toEqual({ capacity: 1, inUse: 1, waiting: 0 });
  });

  test("is not reentrant: whoever holds the only permit gets no second one", async () => {
    const { semaphore } = onManualClock({ capacity: 1 });
    const nested = semaphore.run("key", () => semaphore.run("key", () => "never"));
    await expect(nested).rejects.toThrow(LimitedError);
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 0 });
  });
});

describe("a refusal", () => {
  test("says how many are left, and when the first lease ends", async () => {
    const { semaphore, pass } = onManualClock({ capacity: 3 });
    await semaphore.acquire("key");
    await pass(5_000);
    const error = await refusal(semaphore.acquire("key", { permits: 3 }));
    expect(error).toMatchObject({
      name: "LimitedError",
      key: "key",
      message: "Concurrency limit exceeded: remaining=2, resetAfterMs=25000, retryAfterMs=25000",
      result: {
        limited: true,
        quotaIndex: 0,
        source: "store",
        limit: 3,
        remaining: 2,
        resetAfterMs: 25_000,
        retryAfterMs: 25_000,
      },
    });
    expect(isLimitedError(error)).toBe(true);
  });

  test("says that more permits than there are will never come, and does not wait for them", async () => {
    const { clock, semaphore } = onManualClock({ capacity: 3 });
    const { result } = await refusal(semaphore.acquire("key", { permits: 4, timeout: "1h" }));
    expect(result).toMatchObject({
      remaining: 3,
      resetAfterMs: 0,
      retryAfterMs: Number.POSITIVE_INFINITY,
    });
    expect(clock.sleepers).toBe(0);
  });
});

describe("acquire with a timeout", () => {
  test("waits for its turn, and is let in as soon as a permit is given back", async () => {
    const { semaphore } = onManualClock({ capacity: 1, timeout: "10s" });
    const held = await semaphore.acquire("key");
    const waiting = semaphore.acquire("key");
    expect(await semaphore.peek("key")).toEqual({ capacity: 1, inUse: 1, waiting: 1 });
    await held.release();
    const lease = await waiting;
    expect(await semaphore.peek("key")).toEqual({ capacity: 1, inUse: 1, waiting: 0 });
    expect(lease.expiresInMs).toBe(30_000);
  });

  test("is refused when its time is over, not earlier, and its place is free at once", async () => {
    const { semaphore, pass } = onManualClock({ capacity: 1, timeout: "10s" });
    await semaphore.acquire("key");
    let error: unknown;
    void semaphore.acquire("key").catch((thrown) => {
      error = thrown;
    });
    await pass(9_999);
    expect([error, (await semaphore.peek("key")).waiting]).toEqual([undefined, 1]);
    await pass(1);
    expect(error).toMatchObject({ result: { limited: true, remaining: 0, limit: 1 } });
    expect(await semaphore.peek("key")).toEqual({ capacity: 1, inUse: 1, waiting: 0 });
  });

  test("may wait much longer than a lease", async () => {
    const { semaphore, pass } = onManualClock({ capacity: 1, lease: "1s", timeout: "1h" });
    const held = await semaphore.acquire("key");
    const waiting = semaphore.acquire("key");
    await pass(60_000, 100);
    await held.release();
    expect((await waiting).signal.aborted).toBe(false);
  });

  test("of a call comes before that of the semaphore", async () => {
    const { semaphore } = onManualClock({ capacity: 1, timeout: "1h" });
    await semaphore.acquire("key");
    await expect(semaphore.acquire("key", { timeout: 0 })).rejects.toThrow(LimitedError);
  });

  test("lets 200 in strictly in the order in which they came, from whichever semaphore of the store", async () => {
    const { semaphore, beside } = onManualClock({ capacity: 3, timeout: "1h" });
    const semaphores = [semaphore, beside(), beside({ lease: "5s" })];
    const turns = new Turns();
    const calls = Array.from({ length: 200 }, async (_, name) => {
      const lease = await turns.note(name, semaphores[name % 3]!.acquire("key"));
      await turn();
      await lease.release();
      return lease.token;
    });
    const tokens = await Promise.all(calls);
    expect(turns.order).toEqual(Array.from({ length: 200 }, (_, name) => name));
    expect(tokens).toEqual([...new Set(tokens)].sort((one, other) => one - other));
    expect(await semaphore.peek("key")).toEqual({ capacity: 3, inUse: 0, waiting: 0 });
  });

  test("has a greater token than those of a store that forgot everything a millisecond ago", async () => {
    const { semaphore, clock } = onManualClock({ capacity: 1 });
    let last = 0;
    for (let i = 0; i < 900; i++) {
      await using lease = await semaphore.acquire("key");
      last = lease.token;
    }
    clock.advance(1);
    const fresh = new Semaphore({ capacity: 1, store: new MemoryStore({ clock }) });
    expect((await fresh.acquire("key")).token).toBeGreaterThan(last);
  });
});

test("of two that are let in at the same moment the one that came first hears first", async () => {
  const { semaphore } = onManualClock({ capacity: 2, timeout: "1h" });
  const turns = new Turns();
  const held = await semaphore.acquire("key");
  const calls = ["first", "second"].map((name) => turns.note(name, semaphore.acquire("key")));
  void held.release();
  await Promise.all(calls);
  expect(turns.order).toEqual(["first", "second"]);
});

describe("a signal", () => {
  test("that was aborted before rejects with its reason, and the store is not asked", async () => {
    const { semaphore, store } = onManualClock({ capacity: 1, timeout: "1s" });
    const signal = AbortSignal.abort(reason);
    await expect(semaphore.acquire("key", { signal })).rejects.toBe(reason);
    await expect(semaphore.run("key", () => "never", { signal })).rejects.toBe(reason);
    expect(store.arrange("key", { capacity: 1, maxWaiting: 0 })).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test("that aborts while the call waits rejects at once, and those behind it are not delayed", async () => {
    const { semaphore } = onManualClock({ capacity: 2, timeout: "1h" });
    const held = await semaphore.acquire("key");
    const leave = new AbortController();
    const large = semaphore.acquire("key", { permits: 2, signal: leave.signal });
    const small = semaphore.acquire("key");
    await turn();
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 1, waiting: 2 });
    leave.abort(reason);
    await expect(large).rejects.toBe(reason);
    await (await small).release();
    await held.release();
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test("that aborts right after the call was let in changes nothing: it holds the permit", async () => {
    const { semaphore } = onManualClock({ capacity: 1, timeout: "1h" });
    const held = await semaphore.acquire("key");
    const leave = new AbortController();
    const waiting = semaphore.acquire("key", { signal: leave.signal });
    const released = held.release();
    leave.abort(reason);
    await released;
    const lease = await waiting;
    expect(lease.signal.aborted).toBe(false);
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 1, waiting: 0 });
  });

  test("that aborts right before the permit comes free lets the next in line have it", async () => {
    const { semaphore } = onManualClock({ capacity: 1, timeout: "1h" });
    const held = await semaphore.acquire("key");
    const leave = new AbortController();
    const leaving = semaphore.acquire("key", { signal: leave.signal });
    const next = semaphore.acquire("key");
    leave.abort(reason);
    await held.release();
    await expect(leaving).rejects.toBe(reason);
    await next;
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 1, waiting: 0 });
  });

  test("that aborts while a permit is held does not take it away", async () => {
    const { semaphore } = onManualClock({ capacity: 1 });
    const leave = new AbortController();
    const lease = await semaphore.acquire("key", { signal: leave.signal });
    leave.abort(reason);
    expect(lease.signal.aborted).toBe(false);
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 1 });
  });
});

describe("several permits", () => {
  test("are taken together, and given back together", async () => {
    const { semaphore } = onManualClock({ capacity: 5 });
    const lease = await semaphore.acquire("key", { permits: 4 });
    expect([lease.permits, (await semaphore.peek("key")).inUse]).toEqual([4, 4]);
    await expect(semaphore.acquire("key", { permits: 2 })).rejects.toThrow(LimitedError);
    await lease.release();
    expect((await semaphore.acquire("key", { permits: 5 })).permits).toBe(5);
  });

  test("are never overtaken by fewer: who needs one waits behind who needs all", async () => {
    const { semaphore } = onManualClock({ capacity: 3, timeout: "1h" });
    const turns = new Turns();
    const [one, two] = [await semaphore.acquire("key"), await semaphore.acquire("key", { permits: 2 })];
    const all = turns.note("all", semaphore.acquire("key", { permits: 3 }));
    const single = turns.note("single", semaphore.acquire("key"));
    await two.release();
    await turn();
    expect(turns.order).toEqual([]);
    await one.release();
    await (await all).release();
    await single;
    expect(turns.order).toEqual(["all", "single"]);
  });
});

describe("maxWaiting", () => {
  test("of 0 refuses at once whoever would have to wait", async () => {
    const { semaphore } = onManualClock({ capacity: 1, timeout: "1h", maxWaiting: 0 });
    const held = await semaphore.acquire("key");
    await expect(semaphore.acquire("key")).rejects.toThrow(LimitedError);
    await held.release();
    await semaphore.acquire("key");
  });

  test("lets so many wait, and refuses those who come then at once", async () => {
    const { semaphore } = onManualClock({ capacity: 1, timeout: "1h", maxWaiting: 2 });
    const held = await semaphore.acquire("key");
    const [next] = [semaphore.acquire("key"), semaphore.acquire("key")];
    const { result } = await refusal(semaphore.acquire("key"));
    expect(result).toMatchObject({ remaining: 0, limit: 1 });
    expect(await semaphore.peek("key")).toMatchObject({ waiting: 2 });
    await held.release();
    await next;
    void semaphore.acquire("key");
    expect(await semaphore.peek("key")).toMatchObject({ waiting: 2 });
  });

  test("counts each key by itself", async () => {
    const { semaphore } = onManualClock({ capacity: 1, timeout: "1h", maxWaiting: 1 });
    for (const key of ["one", "other"]) {
      await semaphore.acquire(key);
      void semaphore.acquire(key);
      expect(await semaphore.peek(key)).toMatchObject({ inUse: 1, waiting: 1 });
    }
  });
});

describe("the capacity", () => {
  test("that is raised lets those in who wait here, at once and in order", async () => {
    const { semaphore } = onManualClock({ capacity: 1, timeout: "1h" });
    const turns = new Turns();
    await semaphore.acquire("key");
    const calls = [1, 2, 3].map((name) => turns.note(name, semaphore.acquire("key")));
    semaphore.capacity = 3;
    await Promise.all(calls.slice(0, 2));
    expect([turns.order, semaphore.capacity]).toEqual([[1, 2], 3]);
    expect(await semaphore.peek("key")).toEqual({ capacity: 3, inUse: 3, waiting: 1 });
  });

  test("that is changed asks nothing of the store where nobody waits", async () => {
    const { semaphore, store } = onManualClock({ capacity: 1 });
    await semaphore.acquire("key");
    const arrange = vi.spyOn(store, "arrange");
    semaphore.capacity = 3;
    expect(arrange).not.toHaveBeenCalled();
  });

  test("that is lowered takes nothing away, and nobody comes in until there is room again", async () => {
    const { semaphore } = onManualClock({ capacity: 3, timeout: "1h" });
    const turns = new Turns();
    const held = [
      await semaphore.acquire("key"),
      await semaphore.acquire("key"),
      await semaphore.acquire("key"),
    ];
    const next = turns.note("next", semaphore.acquire("key"));
    semaphore.capacity = 1;
    expect(await semaphore.peek("key")).toEqual({ capacity: 1, inUse: 3, waiting: 1 });
    await held[0]!.release();
    await held[1]!.release();
    await turn();
    expect(turns.order).toEqual([]);
    await held[2]!.release();
    await next;
  });

  test("that is lowered sends those away who need more, and lets those behind them move up", async () => {
    const { semaphore } = onManualClock({ capacity: 3, timeout: "1h" });
    const held = await semaphore.acquire("key", { permits: 2 });
    const large = refusal(semaphore.acquire("key", { permits: 3 }));
    const small = semaphore.acquire("key");
    semaphore.capacity = 2;
    expect((await large).result).toMatchObject({ limit: 2, retryAfterMs: Number.POSITIVE_INFINITY });
    await held.release();
    await small;
  });

  test("goes by whoever asks, where several differ about a key", async () => {
    const { semaphore, beside } = onManualClock({ capacity: 1 });
    await semaphore.acquire("key");
    await expect(semaphore.acquire("key")).rejects.toThrow(LimitedError);
    const generous = beside({ capacity: 2 });
    await generous.acquire("key");
    expect(await semaphore.peek("key")).toEqual({ capacity: 1, inUse: 2, waiting: 0 });
    expect(await generous.peek("key")).toEqual({ capacity: 2, inUse: 2, waiting: 0 });
  });
});

test("semaphores without a store share one of the process", async () => {
  const [one, other] = [new Semaphore({ capacity: 1 }), new Semaphore({ capacity: 1 })];
  await using _lease = await one.acquire("shared by semaphores of the process");
  expect(other.store).toBe(one.store);
  await expect(other.acquire("shared by semaphores of the process")).rejects.toThrow(LimitedError);
});
