import { describe, expect, test } from "vitest";
import { ManualClock } from "../src/testing.js";

describe("ManualClock", () => {
  test("stands still until it is moved", () => {
    const clock = new ManualClock();
    expect(clock.now()).toBe(1_700_000_000_000);
    expect(new ManualClock(5).now()).toBe(5);
    clock.advance(250);
    expect(clock.now()).toBe(1_700_000_000_250);
    clock.advance(0);
    clock.set(7);
    expect(clock.now()).toBe(7);
  });

  test("wakes those whose moment has come, in the order of their moments", async () => {
    const clock = new ManualClock();
    const woken: string[] = [];
    const naps = [
      ["late", 30],
      ["early", 10],
      ["early too", 10],
      ["never", 31],
    ] as const;
    for (const [name, ms] of naps) void clock.sleep(ms).then(() => woken.push(name));
    expect(clock.sleepers).toBe(4);
    clock.advance(9);
    await Promise.resolve();
    expect(woken).toEqual([]);
    clock.advance(21);
    await Promise.resolve();
    expect(woken).toEqual(["early", "early too", "late"]);
    expect(clock.sleepers).toBe(1);
  });

  test("does not wake anybody when it is set back", async () => {
    const clock = new ManualClock();
    void clock.sleep(10);
    clock.set(clock.now() - 1_000);
    expect(clock.sleepers).toBe(1);
    clock.advance(1_009);
    expect(clock.sleepers).toBe(1);
    clock.advance(1);
    expect(clock.sleepers).toBe(0);
  });

  test("a sleep of 0 is over at once", async () => {
    const clock = new ManualClock();
    await clock.sleep(0);
    expect(clock.sleepers).toBe(0);
  });

  test("an aborted sleep rejects with the reason of its signal", async () => {
    const clock = new ManualClock();
    const reason = new Error("enough");
    const controller = new AbortController();
    const sleep = clock.sleep(10, controller.signal);
    controller.abort(reason);
    await expect(sleep).rejects.toBe(reason);
    await expect(clock.sleep(10, controller.signal)).rejects.toBe(reason);
    expect(clock.sleepers).toBe(0);
    clock.advance(10);
  });

  test.each([
    ["now", -1],
    ["now", 1.5],
    ["now", Number.NaN],
    ["now", 2 ** 53],
  ])("refuses a moment that is no whole millisecond: %s of %d", (name, now) => {
    const range = now > Number.MAX_SAFE_INTEGER ? " below 2^53" : "";
    const message = `Expected \`${name}\` to be a non-negative integer${range}, got ${now}`;
    expect(() => new ManualClock(now)).toThrow(new RangeError(message));
    expect(() => new ManualClock().set(now)).toThrow(new RangeError(message));
  });

  test("refuses to advance backwards, by fractions, or by text", () => {
    const clock = new ManualClock(5);
    for (const ms of [-1, 0.5, Number.POSITIVE_INFINITY]) {
      expect(() => clock.advance(ms)).toThrow(
        new RangeError(`Expected \`ms\` to be a non-negative integer, got ${ms}`),
      );
    }
    expect(() => clock.advance("1s" as unknown as number)).toThrow(
      new TypeError('Expected `ms` to be a non-negative integer, got "1s"'),
    );
    expect(clock.now()).toBe(5);
  });
});
