import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { RedisStore } from "../../src/redis.js";
import { type Deadline, LATE, withDeadline } from "../../src/stores/deadline.js";

const redisUrl = inject("redisUrl");
const never = (): Promise<never> => new Promise(() => {});
const later = <T>(ms: number, end: () => T): Promise<T> =>
  new Promise((resolve, reject) =>
    setTimeout(() => {
      try {
        resolve(end());
      } catch (error) {
        reject(error);
      }
    }, ms),
  );
const failing = (): never => {
  throw new Error("down");
};

describe("A call with a deadline", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("answers what comes in time, and leaves no timer behind", async () => {
    expect(await withDeadline(100, async () => "answer")).toBe("answer");
    await expect(withDeadline(100, async () => failing())).rejects.toThrow("down");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is late once the time has passed, and not a millisecond earlier", async () => {
    const settled = vi.fn();
    const call = withDeadline(100, never).catch(settled);
    await vi.advanceTimersByTimeAsync(99);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2);
    await call;
    expect(settled).toHaveBeenCalledExactlyOnceWith(LATE);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    [20, 1],
    [21, 20],
  ])("whose timer is %i ms late ends %i ms after that, as answers may still be read", async (lateMs, ms) => {
    const settled = vi.fn();
    vi.spyOn(performance, "now")
      .mockReturnValueOnce(0)
      .mockReturnValue(100 + lateMs);
    const call = withDeadline(100, never).catch(settled);
    await vi.advanceTimersByTimeAsync(100 + ms - 1);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await call;
    expect(settled).toHaveBeenCalledExactlyOnceWith(LATE);
    vi.restoreAllMocks();
  });

  test.each([
    ["an answer", () => "late"],
    ["an error", failing],
  ])("ignores %s that comes later", async (_what, end) => {
    const settled = vi.fn();
    const call = withDeadline(100, () => later(150, end)).then(settled, settled);
    await vi.advanceTimersByTimeAsync(200);
    await call;
    expect(settled).toHaveBeenCalledExactlyOnceWith(LATE);
  });

  test("can tell when its deadline has passed, and is told", async () => {
    const passed = vi.fn();
    let known: Deadline | undefined;
    const call = withDeadline(100, (deadline) => {
      known = deadline;
      deadline.onPass = passed;
      return never();
    }).catch(() => {});
    await vi.advanceTimersByTimeAsync(99);
    expect([known?.passed, passed.mock.calls.length]).toEqual([false, 0]);
    await vi.advanceTimersByTimeAsync(2);
    await call;
    expect([known?.passed, passed.mock.calls.length]).toEqual([true, 1]);
  });
});

describe("With real time", () => {
  const redis = new Redis(redisUrl);
  afterAll(() => redis.disconnect());

  function stall(ms: number): void {
    const end = performance.now() + ms;
    while (performance.now() < end);
  }

  test("answers that arrive while the event loop is held up beyond the deadline are in time", async () => {
    const key = randomUUID();
    await redis.set(key, "answer");
    const calls = Array.from({ length: 100 }, () => withDeadline(50, () => redis.get(key)));
    // All is written within this turn of the event loop, and no answer is read before the next.
    for (let i = 0; i < 100; i++) await undefined;
    stall(200);
    expect(new Set(await Promise.all(calls))).toEqual(new Set(["answer"]));
    await redis.del(key);
  });

  test("a late error is nobody's unhandled rejection", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    await expect(withDeadline(5, () => later(20, failing))).rejects.toBe(LATE);
    await later(50, () => {});
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe("A store refuses a deadline of", () => {
  const expected = "Expected `deadline` to be a duration from 1 ms to 24 days, got";
  test.each([
    [0, "0"],
    ["0s", '"0s"'],
    ["30d", '"30d"'],
    [2 ** 31, "2147483648"],
  ] as const)("%s", (deadline, shown) => {
    expect(() => new RedisStore(redisUrl, { deadline })).toThrow(new RangeError(`${expected} ${shown}`));
  });
});
