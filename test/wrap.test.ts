import { describe, expect, test, vi } from "vitest";
import { LimitedError, MemoryStore, Throttled } from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { pass } from "./support/manual-time.js";

function setUp(options = {}) {
  const clock = new ManualClock();
  return { clock, limiter: new Throttled({ quota: "5/h", store: new MemoryStore({ clock }), ...options }) };
}

describe("wrap", () => {
  test("hands arguments, `this` and the answer through", async () => {
    const { limiter } = setUp({ key: "k" });
    const wrapped = limiter.wrap(async function (this: { base: number }, one: number, ...rest: number[]) {
      return [this.base, one, ...rest];
    });
    expect(await wrapped.call({ base: 10 }, 1, 2, 3)).toEqual([10, 1, 2, 3]);
    expect(await limiter.wrap((n: number) => n * 2)(21)).toBe(42);
    expect(limiter.peekSync().remaining).toBe(3);
  });

  test("keeps name and length", () => {
    const { limiter } = setUp({ key: "k" });
    async function fetchUser(_id: string, _options: object) {}
    const wrapped = limiter.wrap(fetchUser);
    expect([wrapped.name, wrapped.length]).toEqual(["fetchUser", 2]);
    expect(limiter.wrapSync((_a, _b, _c) => {}).length).toBe(3);
  });

  test("takes key and cost as values, or computed from the arguments and `this`", async () => {
    const { limiter } = setUp();
    const left = (key: string) => limiter.peekSync(key).remaining;
    await limiter.wrap(async () => {}, { key: "value", cost: 2 })();
    expect(left("value")).toBe(3);
    const computed = limiter.wrap(async function (this: { tenant: string }, _id: string, _size: number) {}, {
      key(id) {
        return `${this.tenant}:${id}`;
      },
      cost(_id, size) {
        return size;
      },
    });
    await computed.call({ tenant: "acme" }, "42", 4);
    expect(left("acme:42")).toBe(1);
  });

  test("uses key and cost of the limiter where it has none of its own", async () => {
    const { limiter } = setUp({ key: "own", cost: 2 });
    await limiter.wrap(async () => {})();
    await limiter.wrap(async () => {}, { key: undefined, cost: undefined })();
    expect(limiter.peekSync().remaining).toBe(1);
  });

  test("rejects with a LimitedError and calls nothing when it is limited", async () => {
    const { limiter } = setUp({ quota: "1/h" });
    const fn = vi.fn(async () => {});
    const wrapped = limiter.wrap(fn, { key: "k" });
    await wrapped();
    await expect(wrapped()).rejects.toThrow(LimitedError);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  test("waits as long as its timeout allows", async () => {
    const { clock, limiter } = setUp({ quota: "1/s" });
    const moments: number[] = [];
    const start = clock.now();
    const wrapped = limiter.wrap(async () => moments.push(clock.now() - start), { key: "k", timeout: "1s" });
    const calls = [wrapped(), wrapped(), wrapped()];
    await expect(calls[2]).rejects.toThrow(LimitedError);
    await pass(clock, 1_000);
    expect(moments).toEqual([0, 1_000]);
  });

  test("waits as long as the limiter allows when it has no timeout of its own", async () => {
    const { clock, limiter } = setUp({ quota: "1/s", timeout: "1s" });
    const fn = vi.fn(async () => {});
    const wrapped = limiter.wrap(fn, { key: "k" });
    void wrapped();
    void wrapped();
    await pass(clock, 999);
    expect(fn).toHaveBeenCalledTimes(1);
    await pass(clock, 1);
    expect(fn).toHaveBeenCalledTimes(2);
  });

  test("rejects, and never throws, what its key or cost function throws", async () => {
    const { limiter } = setUp();
    const failure = new Error("no user");
    const fn = vi.fn(async () => {});
    const key = (): string => {
      throw failure;
    };
    const call = limiter.wrap(fn, { key })();
    await expect(call).rejects.toBe(failure);
    expect(fn).not.toHaveBeenCalled();
  });

  test("refunds a call that fails when it is told to", async () => {
    const { limiter } = setUp({ key: "k" });
    const fail = async (): Promise<never> => {
      throw new Error("fn failed");
    };
    await expect(limiter.wrap(fail, { cost: 2, refundOnError: true })()).rejects.toThrow("fn failed");
    await expect(limiter.wrap(fail)()).rejects.toThrow("fn failed");
    expect(limiter.peekSync().remaining).toBe(4);
  });

  test("does not take a function that a key function returns by mistake for the one to call", async () => {
    const { limiter } = setUp();
    const [fn, mistake] = [vi.fn(async () => {}), vi.fn(() => "user")];
    const wrapped = limiter.wrap(fn, { key: () => mistake as unknown as string });
    await expect(wrapped()).rejects.toThrow(
      new TypeError("Expected `key` to be a string of 1 to 512 UTF-8 bytes, got a function"),
    );
    expect(fn).not.toHaveBeenCalled();
    expect(mistake).not.toHaveBeenCalled();
  });
});

describe("wrapSync", () => {
  test("hands arguments, `this` and the answer through, at once", () => {
    const { limiter } = setUp();
    const wrapped = limiter.wrapSync(
      function add(this: { base: number }, a: number, b: number) {
        return this.base + a + b;
      },
      { key: (a, b) => `${a}:${b}`, cost: (a) => a },
    );
    expect(wrapped.call({ base: 10 }, 1, 2)).toBe(13);
    expect(limiter.peekSync("1:2").remaining).toBe(4);
    expect(wrapped.name).toBe("add");
  });

  test("throws a LimitedError and calls nothing when it is limited", () => {
    const { limiter } = setUp({ quota: "1/h" });
    const fn = vi.fn();
    const wrapped = limiter.wrapSync(fn, { key: "k" });
    wrapped();
    expect(() => wrapped()).toThrow(LimitedError);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  test("never waits, whatever the timeout of the limiter says", () => {
    const { limiter } = setUp({ quota: "1/h", timeout: "1d" });
    const wrapped = limiter.wrapSync(() => 42, { key: "k" });
    expect(wrapped()).toBe(42);
    expect(wrapped).toThrow(LimitedError);
  });

  test("throws what its function throws, and refunds it when it is told to", () => {
    const { limiter } = setUp({ key: "k" });
    const fail = (): never => {
      throw new Error("fn failed");
    };
    expect(limiter.wrapSync(fail)).toThrow("fn failed");
    expect(limiter.peekSync().remaining).toBe(4);
    expect(limiter.wrapSync(fail, { cost: 3, refundOnError: true })).toThrow("fn failed");
    expect(limiter.peekSync().remaining).toBe(4);
  });
});
