import { describe, expect, test, vi } from "vitest";
import { LimitedError, MemoryStore, type Permit, Throttled } from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { pass } from "./support/manual-time.js";
import { RemoteStore } from "./support/remote-store.js";

function setUp(options = {}) {
  const clock = new ManualClock();
  return { clock, limiter: new Throttled({ quota: "5/h", store: new MemoryStore({ clock }), ...options }) };
}

describe("run", () => {
  test("answers with what its function returns, or the promise of it", async () => {
    const { limiter } = setUp();
    expect(await limiter.run("k", () => 42)).toBe(42);
    expect(await limiter.run("k", async () => "done")).toBe("done");
    expect(limiter.peekSync("k").remaining).toBe(3);
  });

  test("hands its function the permit, which can be settled", async () => {
    const { limiter } = setUp();
    const cost = await limiter.run(
      "k",
      async (permit: Permit) => {
        await permit.settle(1);
        return permit.cost;
      },
      { cost: 4 },
    );
    expect(cost).toBe(4);
    expect(limiter.peekSync("k").remaining).toBe(4);
  });

  test("uses the key of the limiter when it is given none", async () => {
    const { limiter } = setUp({ key: "own" });
    await limiter.run(() => {});
    await limiter.run(() => {}, { cost: 2 });
    await limiter.run(undefined, () => {});
    expect(limiter.peekSync("own").remaining).toBe(1);
  });

  test("calls nothing when it is limited", async () => {
    const { limiter } = setUp();
    const fn = vi.fn();
    await expect(limiter.run("k", fn, { cost: 6 })).rejects.toThrow(LimitedError);
    expect(fn).not.toHaveBeenCalled();
    expect(limiter.peekSync("k").remaining).toBe(5);
  });

  test("waits for its turn first", async () => {
    const { clock, limiter } = setUp({ quota: "1/s" });
    const start = clock.now();
    const moments: number[] = [];
    for (let i = 0; i < 3; i++) {
      void limiter.run("k", () => moments.push(clock.now() - start), { timeout: "5s" });
    }
    await pass(clock, 2_000);
    expect(moments).toEqual([0, 1_000, 2_000]);
  });

  test("rejects with the reason of its signal, and calls nothing", async () => {
    const { limiter } = setUp({ quota: "1/h" });
    limiter.limitSync("k");
    const [fn, controller, reason] = [vi.fn(), new AbortController(), new Error("enough")];
    const call = limiter.run("k", fn, { timeout: "1d", signal: controller.signal });
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(fn).not.toHaveBeenCalled();
  });
});

describe("a run that fails", () => {
  const failure = new Error("fn failed");
  const fail = (): never => {
    throw failure;
  };

  test("rejects with what its function threw, and is charged all the same", async () => {
    const { limiter } = setUp();
    await expect(limiter.run("k", fail)).rejects.toBe(failure);
    await expect(limiter.run("k", async () => fail())).rejects.toBe(failure);
    expect(limiter.peekSync("k").remaining).toBe(3);
  });

  test("gets its cost back when it asks for that", async () => {
    const { limiter } = setUp();
    await expect(limiter.run("k", fail, { cost: 3, refundOnError: true })).rejects.toBe(failure);
    await expect(limiter.run("k", async () => fail(), { refundOnError: true })).rejects.toBe(failure);
    await limiter.run("k", () => {}, { refundOnError: true });
    expect(limiter.peekSync("k").remaining).toBe(4);
  });

  test("is not refunded what it has settled itself", async () => {
    const { limiter } = setUp();
    const call = limiter.run(
      "k",
      async (permit) => {
        await permit.settle(2);
        fail();
      },
      { cost: 4, refundOnError: true },
    );
    await expect(call).rejects.toBe(failure);
    expect(limiter.peekSync("k").remaining).toBe(3);
  });

  test("rejects with its own failure though the store fails to give back too", async () => {
    const store = new RemoteStore(new ManualClock());
    store.failsOn = (cost) => cost < 0;
    const limiter = new Throttled({ store });
    await expect(limiter.run("k", fail, { refundOnError: true })).rejects.toBe(failure);
    await expect(limiter.wrap(fail, { key: "k", refundOnError: true })()).rejects.toBe(failure);
  });
});
