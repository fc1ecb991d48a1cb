import { describe, expect, test } from "vitest";
import { LimitedError } from "../../src/index.js";
import { turn } from "../support/manual-time.js";
import { onManualClock } from "../support/semaphores.js";

const failure = new Error("failed");

describe("await using", () => {
  test("holds the permit to the end of the block", async () => {
    const { semaphore } = onManualClock({ capacity: 1 });
    {
      await using lease = await semaphore.acquire("key");
      expect(lease.permits).toBe(1);
      expect(await semaphore.peek("key")).toMatchObject({ inUse: 1 });
    }
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 0 });
  });

  test("gives it back when the block throws, and hands the error on", async () => {
    const { semaphore } = onManualClock({ capacity: 1 });
    const block = async (): Promise<void> => {
      await using _lease = await semaphore.acquire("key");
      throw failure;
    };
    await expect(block()).rejects.toBe(failure);
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 0 });
  });

  test("makes a block a critical section: none ever meets another", async () => {
    const { semaphore } = onManualClock({ capacity: 1, timeout: "1h" });
    let inside = 0;
    let most = 0;
    const visit = async (): Promise<void> => {
      await using _lease = await semaphore.acquire("key");
      most = Math.max(most, ++inside);
      await turn();
      inside--;
    };
    await Promise.all(Array.from({ length: 50 }, visit));
    expect([most, inside]).toEqual([1, 0]);
  });
});

describe("acquireSync", () => {
  test("answers at once, and `using` gives the permits back at the end of the block", () => {
    const { semaphore } = onManualClock({ capacity: 2, key: "own" });
    {
      using lease = semaphore.acquireSync(undefined, 2);
      expect([lease.key, lease.permits, lease.expiresInMs]).toEqual(["own", 2, 30_000]);
      expect(() => semaphore.acquireSync()).toThrow(LimitedError);
    }
    using _again = semaphore.acquireSync("own", 2);
  });

  test("gives the permit back when the block throws", () => {
    const { semaphore } = onManualClock({ capacity: 1 });
    const block = (): void => {
      using _lease = semaphore.acquireSync("key");
      throw failure;
    };
    expect(block).toThrow(failure);
    expect(block).toThrow(failure);
  });

  test("never waits, whatever the timeout says, and does not go before those who do", async () => {
    const { semaphore } = onManualClock({ capacity: 2, timeout: "1h" });
    using _held = semaphore.acquireSync("key");
    const waiting = semaphore.acquire("key", { permits: 2 });
    expect(() => semaphore.acquireSync("key")).toThrow(LimitedError);
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 1, waiting: 1 });
    _held[Symbol.dispose]();
    await waiting;
  });

  test("throws the error of its store, and nothing is left of the call", async () => {
    const { semaphore, store, clock } = onManualClock({ capacity: 1 });
    const { arrange } = store;
    store.arrange = () => {
      throw failure;
    };
    expect(() => semaphore.acquireSync("key")).toThrow(failure);
    store.arrange = arrange;
    await turn();
    expect(clock.sleepers).toBe(0);
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test("keeps the lease alive as acquire does", async () => {
    const { semaphore, pass } = onManualClock({ capacity: 1, lease: "3s" });
    using lease = semaphore.acquireSync("key");
    await pass(30_000, 1_000);
    expect([lease.signal.aborted, (await semaphore.peek("key")).inUse]).toEqual([false, 1]);
  });
});

describe("run", () => {
  test("hands the lease to the function, answers with what it returns, and gives the permit back", async () => {
    const { semaphore } = onManualClock({ capacity: 1, key: "own" });
    expect(await semaphore.run(({ key, token }) => [key, token > 0])).toEqual(["own", true]);
    expect(await semaphore.run("key", async ({ key }) => key)).toBe("key");
    expect(await semaphore.run(undefined, async ({ permits }) => permits, { permits: 1 })).toBe(1);
    for (const key of ["own", "key"]) expect(await semaphore.peek(key)).toMatchObject({ inUse: 0 });
  });

  test.each([
    ["throws", () => Promise.reject(failure)],
    [
      "throws at once",
      () => {
        throw failure;
      },
    ],
  ])("gives the permit back when the function %s", async (_, fn) => {
    const { semaphore } = onManualClock({ capacity: 1 });
    await expect(semaphore.run("key", fn)).rejects.toBe(failure);
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 0 });
  });

  test("takes permits, a timeout and a signal, and does not call the function when refused", async () => {
    const { semaphore } = onManualClock({ capacity: 2 });
    const leave = new AbortController();
    await semaphore.acquire("key");
    const never = () => expect.unreachable();
    await expect(semaphore.run("key", never, { permits: 2 })).rejects.toThrow(LimitedError);
    const waiting = semaphore.run("key", never, { permits: 2, timeout: "1h", signal: leave.signal });
    leave.abort(failure);
    await expect(waiting).rejects.toBe(failure);
    expect(await semaphore.peek("key")).toMatchObject({ inUse: 1, waiting: 0 });
  });
});
