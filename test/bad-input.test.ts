import { describe, expect, test, vi } from "vitest";
import { MemoryStore, type SyncStore, Throttled } from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { RemoteStore } from "./support/remote-store.js";

// biome-ignore lint/suspicious/noExplicitAny: wrong arguments are the point, and the types refuse them.
type Untyped = any;

const KEY = "Expected `key` to be a string of 1 to 512 UTF-8 bytes, got";
const COST = "Expected `cost` to be a non-negative integer, got";
const DURATION =
  'Expected `timeout` to be a duration: whole milliseconds, or text such as "250ms", "1.5s", "2m", "1h", "1d" or "1w", got';
const fn = async (): Promise<void> => {
  throw new Error("ran");
};

const BAD_KEYS: [unknown, Error][] = [
  [undefined, new TypeError(`${KEY} undefined`)],
  [null, new TypeError(`${KEY} null`)],
  [42, new TypeError(`${KEY} 42`)],
  ["", new RangeError(`${KEY} ""`)],
  ["a".repeat(513), new RangeError(`${KEY} "${"a".repeat(64)}…"`)],
  ["a\udc00", new TypeError('Expected `key` to be well-formed Unicode, got "a\\udc00"')],
];

const BAD_COSTS: [unknown, Error][] = [
  [-1, new RangeError(`${COST} -1`)],
  [0.5, new RangeError(`${COST} 0.5`)],
  [Number.NaN, new RangeError(`${COST} NaN`)],
  [Number.POSITIVE_INFINITY, new RangeError(`${COST} Infinity`)],
  [2 ** 53, new RangeError("Expected `cost` to be a non-negative integer below 2^53, got 9007199254740992")],
  ["1", new TypeError(`${COST} "1"`)],
  [1n, new TypeError(`${COST} 1n`)],
  [null, new TypeError(`${COST} null`)],
  [true, new TypeError(`${COST} true`)],
];

function setUp() {
  const store = new MemoryStore({ clock: new ManualClock() });
  const decide = vi.spyOn(store, "decide");
  return { limiter: new Throttled({ store }) as Untyped, decide };
}

/** Calls without `await`: whatever throws here did not reject. */
async function rejects(call: () => Promise<unknown>, error: Error): Promise<void> {
  const promise = call();
  expect(promise).toBeInstanceOf(Promise);
  await expect(promise).rejects.toThrow(error);
}

describe("a bad key", () => {
  test.each(BAD_KEYS)(
    "rejects every call that answers with a promise, and nothing is asked: %o",
    async (key, error) => {
      const { limiter, decide } = setUp();
      for (const method of ["limit", "peek", "acquire", "refund", "reset"]) {
        await rejects(() => limiter[method](key), error);
      }
      await rejects(() => limiter.run(key, fn), error);
      await rejects(() => limiter.wrap(fn, { key: () => key })(), error);
      await rejects(() => limiter.limitMany(["fine", { key }]), error);
      expect(decide).not.toHaveBeenCalled();
    },
  );

  test.each(BAD_KEYS)(
    "makes every call that answers at once throw, and nothing is asked: %o",
    (key, error) => {
      const { limiter, decide } = setUp();
      for (const method of ["limitSync", "peekSync", "acquireSync"]) {
        expect(() => limiter[method](key)).toThrow(error);
      }
      expect(() => limiter.wrapSync(fn, { key: () => key })()).toThrow(error);
      expect(decide).not.toHaveBeenCalled();
    },
  );
});

describe("a bad cost", () => {
  test.each(BAD_COSTS)(
    "rejects every call that answers with a promise, and nothing is asked: %o",
    async (cost, error) => {
      const { limiter, decide } = setUp();
      for (const method of ["limit", "acquire"]) await rejects(() => limiter[method]("k", { cost }), error);
      await rejects(() => limiter.refund("k", cost), error);
      await rejects(() => limiter.run("k", fn, { cost }), error);
      await rejects(() => limiter.wrap(fn, { key: "k", cost: () => cost })(), error);
      await rejects(() => limiter.limitMany(["fine", { key: "k", cost }]), error);
      expect(decide).not.toHaveBeenCalled();
    },
  );

  test.each(BAD_COSTS)(
    "makes every call that answers at once throw, and nothing is asked: %o",
    (cost, error) => {
      const { limiter, decide } = setUp();
      for (const method of ["limitSync", "acquireSync"])
        expect(() => limiter[method]("k", cost)).toThrow(error);
      expect(() => limiter.wrapSync(fn, { key: "k", cost: () => cost })()).toThrow(error);
      expect(() => limiter.wrap(fn, { key: "k", cost })).toThrow(error);
      expect(() => limiter.wrapSync(fn, { key: "k", cost })).toThrow(error);
      expect(() => new Throttled({ cost: cost as number })).toThrow(error);
      expect(decide).not.toHaveBeenCalled();
    },
  );

  test.each(["3", null, true, [1]])("or options that are none, reject: %o", async (cost) => {
    const { limiter, decide } = setUp();
    for (const method of ["limit", "acquire"]) {
      await expect(limiter[method]("k", cost)).rejects.toThrow(TypeError);
      await expect(limiter[method]("k", cost)).rejects.toThrow(/^Expected `(cost|options)` to be .*, got /);
    }
    expect(decide).not.toHaveBeenCalled();
  });
});

describe("a bad option of a call", () => {
  test.each([
    [
      { tiemout: 5 },
      new TypeError('Unknown option "tiemout" in `options`, expected one of `cost`, `timeout`, `signal`'),
    ],
    [
      { key: "k" },
      new TypeError('Unknown option "key" in `options`, expected one of `cost`, `timeout`, `signal`'),
    ],
    [{ timeout: "soon" }, new TypeError(`${DURATION} "soon"`)],
    [{ timeout: -1 }, new RangeError(`${DURATION} -1`)],
    [{ timeout: Number.POSITIVE_INFINITY }, new RangeError(`${DURATION} Infinity`)],
    [
      { signal: new AbortController() },
      new TypeError("Expected `signal` to be an AbortSignal, got an object"),
    ],
    [{ signal: null }, new TypeError("Expected `signal` to be an AbortSignal, got null")],
  ])("rejects: %o", async (options, error) => {
    const { limiter, decide } = setUp();
    for (const method of ["limit", "acquire"]) await rejects(() => limiter[method]("k", options), error);
    expect(decide).not.toHaveBeenCalled();
  });

  test("rejects a run", async () => {
    const { limiter, decide } = setUp();
    const known = "expected one of `cost`, `timeout`, `signal`, `refundOnError`";
    await rejects(() => limiter.run("k"), new TypeError("Expected `fn` to be a function, got undefined"));
    await rejects(() => limiter.run(), new TypeError("Expected `fn` to be a function, got undefined"));
    await rejects(() => limiter.run("k", "fn"), new TypeError('Expected `fn` to be a function, got "fn"'));
    await rejects(
      () => limiter.run(fn, { key: "k" }),
      new TypeError(`Unknown option "key" in \`options\`, ${known}`),
    );
    await rejects(() => limiter.run("k", fn, 5), new TypeError("Expected `options` to be an object, got 5"));
    await rejects(() => limiter.run("k", fn, { timeout: "1" }), new TypeError(`${DURATION} "1"`));
    expect(decide).not.toHaveBeenCalled();
  });

  test.each(["wrap", "wrapSync"])("makes %s throw before anything is called", (method) => {
    const { limiter } = setUp();
    const wrap =
      (...args: unknown[]) =>
      () =>
        limiter[method](...args);
    const known = "expected one of `key`, `cost`, `timeout`, `refundOnError`";
    expect(wrap()).toThrow(new TypeError("Expected `fn` to be a function, got undefined"));
    expect(wrap(fn, null)).toThrow(new TypeError("Expected `options` to be an object, got null"));
    expect(wrap(fn, { keys: 1 })).toThrow(new TypeError(`Unknown option "keys" in \`options\`, ${known}`));
    expect(wrap(fn, { key: 5 })).toThrow(new TypeError(`${KEY} 5`));
    expect(wrap(fn, { timeout: "soon" })).toThrow(new TypeError(`${DURATION} "soon"`));
  });

  test("that says whether to refund must be a boolean", async () => {
    const { limiter, decide } = setUp();
    const error = new TypeError('Expected `refundOnError` to be a boolean, got "no"');
    await rejects(() => limiter.run("k", fn, { refundOnError: "no" }), error);
    expect(() => limiter.wrap(fn, { refundOnError: "no" })).toThrow(error);
    expect(() => limiter.wrapSync(fn, { refundOnError: "no" })).toThrow(error);
    expect(decide).not.toHaveBeenCalled();
  });

  test("rejects a limitMany, and none of its requests is asked", async () => {
    const { limiter, decide } = setUp();
    const known = "expected one of `key`, `cost`";
    await rejects(() => limiter.limitMany("k"), new TypeError('Expected `requests` to be an array, got "k"'));
    await rejects(
      () => limiter.limitMany(),
      new TypeError("Expected `requests` to be an array, got undefined"),
    );
    await rejects(
      () => limiter.limitMany(["k", 5]),
      new TypeError("Expected `request` to be an object, got 5"),
    );
    await rejects(
      () => limiter.limitMany(["k", null]),
      new TypeError("Expected `request` to be an object, got null"),
    );
    await rejects(
      () => limiter.limitMany(["k", { key: "k", timeout: 5 }]),
      new TypeError(`Unknown option "timeout" in \`request\`, ${known}`),
    );
    expect(decide).not.toHaveBeenCalled();
  });
});

test("calls that must answer at once throw on a store that can't, and nothing is asked", () => {
  const store = new RemoteStore(new ManualClock());
  const limiter = new Throttled({ store }) as Throttled<RemoteStore> as unknown as Throttled<SyncStore>;
  const error = (method: string): TypeError =>
    new TypeError(`Expected \`${method}\` to be called on a store that answers at once, got remote`);
  expect(() => limiter.limitSync("k")).toThrow(error("limitSync"));
  expect(() => limiter.peekSync("k")).toThrow(error("peekSync"));
  expect(() => limiter.acquireSync("k")).toThrow(error("acquireSync"));
  expect(() => limiter.wrapSync(() => {})).toThrow(error("wrapSync"));
  expect(store.asked).toEqual([]);
});
