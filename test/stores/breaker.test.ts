import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Breaker, type BreakerOptions, OPEN } from "../../src/stores/breaker.js";

const DOWN = new Error("down");
const REFUSED = new Error("refused");
const isFailure = (error: unknown): boolean => error === DOWN;

/** A breaker in front of calls that end when the test says so. */
class Bench {
  readonly breaker: Breaker;
  tried = 0;

  constructor(options?: BreakerOptions) {
    this.breaker = new Breaker(options);
  }

  /** The end of a call, whether it is an answer or an error. */
  run(call: () => Promise<unknown>, calls = 1): Promise<unknown> {
    const run = (): Promise<unknown> => {
      this.tried++;
      return call();
    };
    return this.breaker.run(calls, run, isFailure).catch((error) => error);
  }

  fail(calls = 1): Promise<unknown> {
    return this.run(() => Promise.reject(DOWN), calls);
  }

  succeed(): Promise<unknown> {
    return this.run(async () => "fine");
  }

  refuse(): Promise<unknown> {
    return this.run(() => Promise.reject(REFUSED));
  }

  async failTimes(times: number): Promise<void> {
    for (let i = 0; i < times; i++) expect(await this.fail()).toBe(DOWN);
  }
}

/** A promise and its ends. */
function pending(): { end: () => Promise<unknown>; succeed: () => void; fail: () => void } {
  let succeed = (): void => {};
  let fail = (): void => {};
  const end = new Promise((resolve, reject) => {
    succeed = () => resolve("late");
    fail = () => reject(DOWN);
  });
  return { end: () => end, succeed, fail };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("A breaker opens", () => {
  test("after five failures in a row, and then fails without trying", async () => {
    const bench = new Bench();
    await bench.failTimes(4);
    expect(bench.breaker.isOpen).toBe(false);
    await bench.failTimes(1);
    expect(bench.breaker.isOpen).toBe(true);
    for (let i = 0; i < 100; i++) expect(await bench.fail()).toBe(OPEN);
    expect(bench.tried).toBe(5);
  });

  test("as soon after calls that travel together as after as many that travel alone", async () => {
    const bench = new Bench();
    expect(await bench.fail(4)).toBe(DOWN);
    expect(bench.breaker.isOpen).toBe(false);
    expect(await bench.fail(2)).toBe(DOWN);
    expect(await bench.fail(2)).toBe(OPEN);
    expect(bench.tried).toBe(2);
  });

  test("after as many as it was told", async () => {
    const bench = new Bench({ failures: 1 });
    await bench.failTimes(1);
    expect(await bench.fail()).toBe(OPEN);
  });

  test("not when a success comes in between", async () => {
    const bench = new Bench();
    await bench.failTimes(4);
    expect(await bench.succeed()).toBe("fine");
    await bench.failTimes(4);
    expect(bench.breaker.isOpen).toBe(false);
  });

  test("not for errors that are answers, which end a row of failures", async () => {
    const bench = new Bench();
    await bench.failTimes(4);
    for (let i = 0; i < 10; i++) expect(await bench.refuse()).toBe(REFUSED);
    await bench.failTimes(4);
    expect(bench.breaker.isOpen).toBe(false);
  });

  test("when calls that were under way together all fail", async () => {
    const bench = new Bench();
    const { end, fail } = pending();
    const calls = Array.from({ length: 100 }, () => bench.run(end));
    fail();
    expect(new Set(await Promise.all(calls))).toEqual(new Set([DOWN]));
    expect(await bench.fail()).toBe(OPEN);
  });
});

describe("An open breaker", () => {
  test("lets one call at a time try again, 250 ms after the last failure", async () => {
    const bench = new Bench();
    await bench.failTimes(5);
    vi.advanceTimersByTime(249);
    expect(await bench.fail()).toBe(OPEN);
    vi.advanceTimersByTime(1);
    const { end, fail } = pending();
    const probe = bench.run(end);
    for (let i = 0; i < 10; i++) expect(await bench.fail()).toBe(OPEN);
    vi.advanceTimersByTime(10_000);
    expect(await bench.fail()).toBe(OPEN);
    fail();
    expect(await probe).toBe(DOWN);
    expect(bench.tried).toBe(6);
  });

  test("is half-open while the next call may try, and while it does", async () => {
    const bench = new Bench();
    expect(bench.breaker.state).toBe("closed");
    await bench.failTimes(5);
    expect(bench.breaker.state).toBe("open");
    vi.advanceTimersByTime(250);
    expect(bench.breaker.state).toBe("half-open");
    const { end, fail } = pending();
    const probe = bench.run(end);
    expect(bench.breaker.state).toBe("half-open");
    fail();
    await probe;
    expect(bench.breaker.state).toBe("open");
    vi.advanceTimersByTime(250);
    expect(bench.breaker.openings).toBe(1);
    await bench.succeed();
    expect([bench.breaker.state, bench.breaker.openings]).toEqual(["closed", 1]);
    await bench.failTimes(5);
    expect(bench.breaker.openings).toBe(2);
  });

  test("waits anew after each try that fails", async () => {
    const bench = new Bench({ failures: 3, retryAfter: "1s" });
    await bench.failTimes(3);
    for (let round = 0; round < 3; round++) {
      vi.advanceTimersByTime(1_000);
      expect(await bench.fail()).toBe(DOWN);
      vi.advanceTimersByTime(999);
      expect(await bench.fail()).toBe(OPEN);
    }
  });

  test("closes when the try succeeds, for everybody", async () => {
    const bench = new Bench();
    await bench.failTimes(5);
    vi.advanceTimersByTime(250);
    expect(await bench.succeed()).toBe("fine");
    expect(bench.breaker.isOpen).toBe(false);
    await bench.failTimes(4);
    expect(bench.breaker.isOpen).toBe(false);
  });

  test("closes when the try is refused, as a store that refuses is there", async () => {
    const bench = new Bench();
    await bench.failTimes(5);
    vi.advanceTimersByTime(250);
    expect(await bench.refuse()).toBe(REFUSED);
    expect(bench.breaker.isOpen).toBe(false);
  });

  test("closes when a call from before it opened succeeds after all", async () => {
    const bench = new Bench();
    const { end, succeed } = pending();
    const early = bench.run(end);
    await bench.failTimes(5);
    succeed();
    expect(await early).toBe("late");
    expect(bench.breaker.isOpen).toBe(false);
  });

  test("stays closed when calls from before it opened fail after it closed again", async () => {
    const bench = new Bench();
    const { end, fail } = pending();
    const early = Array.from({ length: 10 }, () => bench.run(end));
    await bench.failTimes(5);
    vi.advanceTimersByTime(250);
    expect(await bench.succeed()).toBe("fine");
    fail();
    expect(new Set(await Promise.all(early))).toEqual(new Set([DOWN]));
    expect(bench.breaker.isOpen).toBe(false);
    await bench.failTimes(5);
    expect(bench.breaker.isOpen).toBe(true);
  });

  test("lets nobody else try when a call from before it opened fails late", async () => {
    const bench = new Bench();
    const [early, trial] = [pending(), pending()];
    const straggler = bench.run(early.end);
    await bench.failTimes(5);
    vi.advanceTimersByTime(250);
    const probe = bench.run(trial.end);
    early.fail();
    expect(await straggler).toBe(DOWN);
    vi.advanceTimersByTime(250);
    expect(await bench.fail()).toBe(OPEN);
    trial.succeed();
    expect(await probe).toBe("late");
    expect(bench.breaker.isOpen).toBe(false);
  });
});

test("Calls that travel together try again together, and one success of theirs is enough", async () => {
  const bench = new Bench();
  await bench.fail(1_000);
  vi.advanceTimersByTime(249);
  expect(await bench.fail(1_000)).toBe(OPEN);
  vi.advanceTimersByTime(1);
  expect(await bench.run(async () => "fine", 1_000)).toBe("fine");
  expect(bench.breaker.isOpen).toBe(false);
});

describe("A breaker refuses", () => {
  const duration =
    'a duration: whole milliseconds, or text such as "250ms", "1.5s", "2m", "1h", "1d" or "1w"';
  test.each([
    [{ failures: 0 }, RangeError, "Expected `breaker.failures` to be a positive integer, got 0"],
    [{ failures: 1.5 }, RangeError, "Expected `breaker.failures` to be a positive integer, got 1.5"],
    [{ failures: Number.NaN }, RangeError, "Expected `breaker.failures` to be a positive integer, got NaN"],
    [{ failures: "5" }, TypeError, 'Expected `breaker.failures` to be a positive integer, got "5"'],
    [{ retryAfter: -1 }, RangeError, `Expected \`breaker.retryAfter\` to be ${duration}, got -1`],
    [{ retryAfter: "soon" }, TypeError, `Expected \`breaker.retryAfter\` to be ${duration}, got "soon"`],
    [
      { reset: 1 },
      TypeError,
      'Unknown option "reset" in `breaker`, expected one of `failures`, `retryAfter`',
    ],
    [null, TypeError, "Expected `breaker` to be an object, got null"],
    [5, TypeError, "Expected `breaker` to be an object, got 5"],
  ])("%j", (options, kind, message) => {
    expect(() => new Breaker(options as BreakerOptions)).toThrow(new kind(message));
  });
});
