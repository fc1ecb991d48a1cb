import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  isLimitedError,
  isStoreError,
  LimitedError,
  type RateLimitResult,
  StoreError,
  ThrottledError,
} from "../src/index.js";

const result: RateLimitResult = {
  limited: true,
  quotaIndex: 0,
  source: "store",
  limit: 60,
  remaining: 0,
  resetAfterMs: 60_000,
  retryAfterMs: 60_000,
};

describe("LimitedError", () => {
  test("says by how much the call was refused", () => {
    const error = new LimitedError("user:42", result);
    expect(error.message).toBe("Rate limit exceeded: remaining=0, resetAfterMs=60000, retryAfterMs=60000");
    expect(error.name).toBe("LimitedError");
    expect(error.key).toBe("user:42");
    expect(error.result).toEqual(result);
    expect(String(error)).toBe(`LimitedError: ${error.message}`);
    expect(error.stack).toContain("errors.test.ts");
  });

  test("says when a call can never pass", () => {
    const never = new LimitedError("k", {
      ...result,
      remaining: 60,
      resetAfterMs: 0,
      retryAfterMs: Number.POSITIVE_INFINITY,
    });
    expect(never.message).toBe("Rate limit exceeded: remaining=60, resetAfterMs=0, retryAfterMs=Infinity");
  });
});

describe("StoreError", () => {
  test("says which store failed, at what, and why", () => {
    const error = new StoreError("redis", "decide", "Connection is closed.");
    expect(error.message).toBe("The redis store failed to decide: Connection is closed.");
    expect(error.name).toBe("StoreError");
    expect(error.store).toBe("redis");
    expect(error.operation).toBe("decide");
  });
});

test("every error is a ThrottledError and an Error", () => {
  for (const error of [new LimitedError("k", result), new StoreError("redis", "decide", "gone")]) {
    expect(error).toBeInstanceOf(ThrottledError);
    expect(error).toBeInstanceOf(Error);
  }
  expect(new ThrottledError("base").name).toBe("ThrottledError");
});

test("the guards know their errors, and nothing else", () => {
  const limited = new LimitedError("k", result);
  const store = new StoreError("redis", "decide", "gone");
  expect([limited, store].map(isLimitedError)).toEqual([true, false]);
  expect([limited, store].map(isStoreError)).toEqual([false, true]);
  class Own extends LimitedError {}
  expect(isLimitedError(new Own("k", result))).toBe(true);
  const strangers = [
    undefined,
    null,
    5,
    "LimitedError",
    {},
    new Error("x"),
    new ThrottledError("x"),
    { name: "LimitedError" },
  ];
  for (const stranger of strangers) {
    expect(isLimitedError(stranger)).toBe(false);
    expect(isStoreError(stranger)).toBe(false);
  }
});

test("the mark that guards go by is not seen when an error is printed or copied", () => {
  const error = new LimitedError("user:42", result);
  expect(Object.keys(error).sort()).toEqual(["key", "name", "result"]);
  expect(inspect(error)).not.toContain("throttled/");
  expect(JSON.parse(JSON.stringify(error))).toEqual({ name: "LimitedError", key: "user:42", result });
});
