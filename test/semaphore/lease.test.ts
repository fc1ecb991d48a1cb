import { describe, expect, test, vi } from "vitest";
import { MemoryStore, Semaphore, ThrottledError } from "../../src/index.js";
import { ManualClock } from "../../src/testing.js";
import { turn } from "../support/manual-time.js";
import { onManualClock } from "../support/semaphores.js";

/** What was asked of a store about semaphores, in order. */
function asked(store: MemoryStore): string[] {
  const acts: string[] = [];
  const arrange = store.arrange.bind(store);
  vi.spyOn(store, "arrange").mockImplementation((key, rules, request) => {
    acts.push(request?.act ?? "peek");
    return arrange(key, rules, request);
  });
  return acts;
}

/** A store that can't be reached for a while. */
function breakable(store: MemoryStore): { mend(): void; break(): void } {
  const arrange = store.arrange.bind(store);
  const spy = vi.spyOn(store, "arrange");
  return {
    break: () =>
      void spy.mockImplementation(() => {
        throw new Error("out of reach");
      }),
    mend: () => void spy.mockImplementation(arrange),
  };
}

/** Keeps the next answer of a store back until the function that it returns is called. */
function holdAnswer(store: MemoryStore): () => void {
  const { arrange } = store;
  let answer = (): void => {};
  vi.spyOn(store, "arrange").mockImplementationOnce((...request) => {
    const arrangement = arrange.apply(store, request);
    const late = new Promise<typeof arrangement>((resolve) => {
      answer = () => resolve(arrangement);
    });
    return late as unknown as typeof arrangement;
  });
  return () => answer();
}

describe("a lease", () => {
  test("is 30 seconds by default, and counts down", async () => {
    const { semaphore, clock } = onManualClock({ capacity: 1 });
    const lease = await semaphore.acquire("key");
    expect(lease.expiresInMs).toBe(30_000);
    clock.advance(9_999);
    expect(lease.expiresInMs).toBe(20_001);
  });

  test("is renewed at a third of its time, again and again, as long as it is held", async () => {
    const { semaphore, store, pass } = onManualClock({ capacity: 1, lease: "3s" });
    const acts = asked(store);
    const lease = await semaphore.acquire("key");
    await pass(999);
    expect(acts).toEqual(["acquire"]);
    await pass(1);
    expect([acts, lease.expiresInMs]).toEqual([["acquire", "renew"], 3_000]);
    await pass(60_000, 1_000);
    expect(acts).toHaveLength(62);
    expect([lease.signal.aborted, (await semaphore.peek("key")).inUse]).toEqual([false, 1]);
  });

  test("that was renewed when it was late still holds", async () => {
    const { semaphore, pass } = onManualClock({ capacity: 1, lease: "3s" });
    const lease = await semaphore.acquire("key");
    await pass(2_999);
    expect([lease.expiresInMs, lease.signal.aborted]).toEqual([3_000, false]);
  });

  test("of which little is left when the answer comes at last is renewed at once, and not lost", async () => {
    const { semaphore, store, pass } = onManualClock({ capacity: 1, lease: 300 });
    const acts = asked(store);
    const answer = holdAnswer(store);
    const acquired = semaphore.acquire("key");
    await pass(250, 50);
    answer();
    const lease = await acquired;
    await turn();
    expect([acts, lease.expiresInMs]).toEqual([["acquire", "renew"], 300]);
    await pass(1_000, 50);
    expect(lease.signal.aborted).toBe(false);
  });

  test("that had ended before it was heard of is asked for again by who waits", async () => {
    const { semaphore, store, pass } = onManualClock({ capacity: 1, lease: 300, timeout: "1h" });
    const acts = asked(store);
    const answer = holdAnswer(store);
    const acquired = semaphore.acquire("key");
    await pass(300, 50);
    answer();
    const lease = await acquired;
    expect([acts, lease.expiresInMs]).toEqual([["wait", "wait"], 300]);
  });

  test("that had ended before it was heard of is lost to who does not wait", async () => {
    const { semaphore, store, pass } = onManualClock({ capacity: 1, lease: 300 });
    const acts = asked(store);
    const answer = holdAnswer(store);
    const acquired = semaphore.acquire("key");
    await pass(300, 50);
    answer();
    const message = "The lease was lost: it had ended before it was heard of";
    await expect(acquired).rejects.toThrow(new ThrottledError(message));
    expect(acts).toEqual(["acquire", "release"]);
  });

  test("is not renewed any more once it is released", async () => {
    const { semaphore, store, clock, pass } = onManualClock({ capacity: 1, lease: "3s" });
    const acts = asked(store);
    await (await semaphore.acquire("key")).release();
    await pass(60_000, 1_000);
    expect(acts).toEqual(["acquire", "release"]);
    expect(clock.sleepers).toBe(0);
  });

  test("of somebody who waits is renewed as well, so that its place stays", async () => {
    const { semaphore, store, pass } = onManualClock({ capacity: 1, lease: "3s", timeout: "1h" });
    const held = await semaphore.acquire("key");
    const acts = asked(store);
    const waiting = semaphore.acquire("key");
    await pass(30_000, 1_000);
    expect(acts.filter((act) => act === "wait").length).toBeLessThanOrEqual(31);
    await held.release();
    expect((await waiting).signal.aborted).toBe(false);
  });
});

describe("renew", () => {
  test("starts the lease anew", async () => {
    const { semaphore, clock } = onManualClock({ capacity: 1 });
    const lease = await semaphore.acquire("key");
    clock.advance(9_000);
    await lease.renew();
    expect(lease.expiresInMs).toBe(30_000);
  });

  test("rejects with what happened once the lease is lost", async () => {
    const { semaphore, store } = onManualClock({ capacity: 1 });
    const lease = await semaphore.acquire("key");
    store.close();
    await expect(lease.renew()).rejects.toThrow("The lease was lost: it had ended before it was renewed");
    await expect(lease.renew()).rejects.toBe(lease.signal.reason);
    expect(lease.signal.aborted).toBe(true);
    await lease.release();
    await expect(lease.renew()).rejects.toBe(lease.signal.reason);
  });

  test("rejects with the error of the store, and the lease goes on", async () => {
    const { semaphore, store } = onManualClock({ capacity: 1 });
    const lease = await semaphore.acquire("key");
    breakable(store).break();
    await expect(lease.renew()).rejects.toThrow("out of reach");
    expect([lease.signal.aborted, lease.expiresInMs]).toEqual([false, 30_000]);
  });

  test("does nothing after the release", async () => {
    const { semaphore, store } = onManualClock({ capacity: 1 });
    const lease = await semaphore.acquire("key");
    await lease.release();
    const acts = asked(store);
    await lease.renew();
    expect(acts).toEqual([]);
  });
});

describe("release", () => {
  test("may be called as often as one likes, and frees what it holds once", async () => {
    const { semaphore } = onManualClock({ capacity: 2 });
    const [one] = [await semaphore.acquire("key"), await semaphore.acquire("key")];
    await one.release();
    await semaphore.acquire("key");
    await Promise.all([one.release(), one.release(), one[Symbol.asyncDispose]()]);
    one[Symbol.dispose]();
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 2 });
  });

  test("leaves nothing of the lease, and its signal does not abort", async () => {
    const { semaphore, pass } = onManualClock({ capacity: 1 });
    const lease = await semaphore.acquire("key");
    await lease.release();
    await pass(60_000, 10_000);
    expect([lease.expiresInMs, lease.signal.aborted]).toEqual([0, false]);
  });

  test("rejects with the error of the store, once for all calls, and the permit is free when the lease ends", async () => {
    const { semaphore, store, clock } = onManualClock({ capacity: 1 });
    const faults = breakable(store);
    const lease = await semaphore.acquire("key");
    faults.break();
    await expect(lease.release()).rejects.toThrow("out of reach");
    await expect(lease.release()).rejects.toThrow("out of reach");
    await lease[Symbol.asyncDispose]();
    faults.mend();
    clock.advance(29_999);
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 1 });
    clock.advance(1);
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 0 });
  });
});

describe("a lease that can't be renewed", () => {
  test("is lost when it ends: its signal aborts and says why", async () => {
    const { semaphore, store, pass } = onManualClock({ capacity: 1, lease: "3s" });
    const lease = await semaphore.acquire("key");
    const seen = vi.fn();
    lease.signal.addEventListener("abort", seen);
    breakable(store).break();
    await pass(2_999, 1);
    expect([lease.signal.aborted, lease.expiresInMs]).toEqual([false, 1]);
    await pass(1);
    expect(seen).toHaveBeenCalledOnce();
    expect(lease.signal.reason).toBeInstanceOf(ThrottledError);
    expect(lease.signal.reason.message).toBe("The lease was lost: it could not be renewed before it ended");
    expect(lease.expiresInMs).toBe(0);
  });

  test("is kept if the store is back a little more than a second before that", async () => {
    const { semaphore, store, pass } = onManualClock({ capacity: 1 });
    const lease = await semaphore.acquire("key");
    const faults = breakable(store);
    faults.break();
    await pass(28_900, 100);
    faults.mend();
    await pass(1_100, 100);
    expect(lease.signal.aborted).toBe(false);
    expect(lease.expiresInMs).toBeGreaterThanOrEqual(28_900);
  });

  test("is lost when the process stood still for longer than it, and learns it as it goes on", async () => {
    const { semaphore, beside, pass } = onManualClock({ capacity: 1, lease: "3s" });
    const lease = await semaphore.acquire("key");
    await pass(6_000);
    expect(lease.signal.aborted).toBe(true);
    await expect(lease.renew()).rejects.toThrow("The lease was lost");
    expect((await beside().acquire("key")).token).toBeGreaterThan(lease.token);
  });

  test("frees nobody when it is released after all: the next holder keeps its permit", async () => {
    const { semaphore, beside, clock } = onManualClock({ capacity: 1, lease: "3s", timeout: "1h" });
    const lost = await semaphore.acquire("key");
    // Both know of the end before the process that held it does.
    clock.advance(3_000);
    const next = await beside().acquire("key");
    expect(next.token).toBeGreaterThan(lost.token);
    await lost.release();
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 1 });
    await turn();
    await lost.release();
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 1 });
    expect(next.signal.aborted).toBe(false);
  });

  test("loses its permits, not the process those of other keys", async () => {
    const { semaphore, store, pass } = onManualClock({ capacity: 1, lease: "3s" });
    const [one, other] = [await semaphore.acquire("one"), await semaphore.acquire("other")];
    const arrange = store.arrange.bind(store);
    vi.spyOn(store, "arrange").mockImplementation((key, rules, request) => {
      if (key === "one") throw new Error("out of reach");
      return arrange(key, rules, request);
    });
    await pass(3_000, 100);
    expect([one.signal.aborted, other.signal.aborted]).toEqual([true, false]);
  });

  test("is no error that nobody handles, and neither is a wait that ends with the store's", async () => {
    const { semaphore, store, pass } = onManualClock({ capacity: 1, lease: "3s", timeout: "1h" });
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    await semaphore.acquire("key");
    const waiting = semaphore.acquire("key").catch((error: Error) => error.message);
    breakable(store).break();
    await pass(10_000, 100);
    expect(await waiting).toBe("out of reach");
    await turn();
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe("whoever waits", () => {
  test("gets the permit of somebody whose lease ended, though nobody released it", async () => {
    const { semaphore, store, pass } = onManualClock({ capacity: 1, lease: "3s", timeout: "1h" });
    // A holder whose process is gone.
    store.arrange(
      "key",
      { capacity: 1, maxWaiting: 0 },
      { act: "acquire", id: "gone", permits: 1, leaseMs: 2_500 },
    );
    let lease: unknown;
    void semaphore.acquire("key").then((acquired) => {
      lease = acquired;
    });
    await pass(2_400, 100);
    expect(lease).toBeUndefined();
    await pass(1_100, 100);
    expect(lease).toMatchObject({ permits: 1 });
  });

  test("keeps its turn when the store forgets everything, though perhaps not its place", async () => {
    const { semaphore, store, pass } = onManualClock({ capacity: 1, lease: "3s", timeout: "1h" });
    const held = await semaphore.acquire("key");
    const waiting = semaphore.acquire("key");
    store.close();
    await pass(1_000);
    expect(held.signal.reason.message).toBe("The lease was lost: it had ended before it was renewed");
    expect((await waiting).token).toBeGreaterThan(held.token);
  });
});

describe("tokens", () => {
  test("grow from holder to holder, also after everything was released", async () => {
    const { semaphore, clock } = onManualClock({ capacity: 1 });
    let last = 0;
    for (let i = 0; i < 100; i++) {
      const { token } = await semaphore.run("key", (lease) => lease);
      expect(token).toBeGreaterThan(last);
      last = token;
      if (i % 10 === 0) clock.advance(1);
    }
    expect(Number.isSafeInteger(last)).toBe(true);
  });

  test("grow also after the clock was set back", async () => {
    const { semaphore, clock } = onManualClock({ capacity: 1 });
    const before = await semaphore.run("key", (lease) => lease.token);
    clock.set(clock.now() - 86_400_000);
    expect(await semaphore.run("key", (lease) => lease.token)).toBeGreaterThan(before);
  });

  test("grow also in a store that was made later", async () => {
    const clock = new ManualClock();
    const tokenOf = (): number =>
      new Semaphore({ capacity: 1, store: new MemoryStore({ clock }) }).acquireSync("key").token;
    const before = tokenOf();
    clock.advance(1);
    expect(tokenOf()).toBeGreaterThan(before);
  });

  test("are those of the order of arrival, not of being let in", async () => {
    const { semaphore } = onManualClock({ capacity: 2, timeout: "1h" });
    const held = await semaphore.acquire("key", { permits: 2 });
    const waiting = [1, 2, 3, 4].map(() => semaphore.acquire("key"));
    await held.release();
    const first = await Promise.all(waiting.slice(0, 2));
    await first[1]!.release();
    await first[0]!.release();
    const tokens = (await Promise.all(waiting)).map(({ token }) => token);
    expect(tokens).toEqual([...tokens].sort((one, other) => one - other));
  });
});
