import { describe, expect, test, vi } from "vitest";
import { MemoryStore, Semaphore, type Store } from "../../src/index.js";
import { ManualClock } from "../../src/testing.js";
import { RemoteStore } from "../support/remote-store.js";

// biome-ignore lint/suspicious/noExplicitAny: wrong arguments are the point, and the types refuse them.
type Untyped = any;

const DURATION =
  'to be a duration: whole milliseconds, or text such as "250ms", "1.5s", "2m", "1h", "1d" or "1w", got';
const KEY = "Expected `key` to be a string of 1 to 512 UTF-8 bytes, got";
const OPTIONS = "expected one of `key`, `capacity`, `store`, `lease`, `timeout`, `maxWaiting`";

const POSITIVE: [unknown, (name: string) => Error][] = [
  [0, (name) => new RangeError(`Expected \`${name}\` to be a positive integer, got 0`)],
  [-1, (name) => new RangeError(`Expected \`${name}\` to be a positive integer, got -1`)],
  [1.5, (name) => new RangeError(`Expected \`${name}\` to be a positive integer, got 1.5`)],
  [Number.NaN, (name) => new RangeError(`Expected \`${name}\` to be a positive integer, got NaN`)],
  [
    Number.POSITIVE_INFINITY,
    (name) => new RangeError(`Expected \`${name}\` to be a positive integer, got Infinity`),
  ],
  [
    2 ** 53,
    (name) =>
      new RangeError(`Expected \`${name}\` to be a positive integer below 2^53, got 9007199254740992`),
  ],
  ["1", (name) => new TypeError(`Expected \`${name}\` to be a positive integer, got "1"`)],
  [null, (name) => new TypeError(`Expected \`${name}\` to be a positive integer, got null`)],
  [1n, (name) => new TypeError(`Expected \`${name}\` to be a positive integer, got 1n`)],
];

function setUp() {
  const store = new MemoryStore({ clock: new ManualClock() });
  const arrange = vi.spyOn(store, "arrange");
  return { store, arrange, semaphore: new Semaphore({ capacity: 1, store }) as Untyped };
}

/** Calls without `await`: whatever throws here did not reject. */
async function rejects(call: () => Promise<unknown>, error: Error): Promise<void> {
  const promise = call();
  expect(promise).toBeInstanceOf(Promise);
  await expect(promise).rejects.toThrow(error);
}

describe("the constructor refuses", () => {
  test.each<[object | null | undefined, Error]>([
    [undefined, new TypeError("Expected `options` to be an object, got undefined")],
    [null, new TypeError("Expected `options` to be an object, got null")],
    [{}, new TypeError("Expected `capacity` to be a positive integer, got undefined")],
    [{ capacity: 1, permits: 2 }, new TypeError(`Unknown option "permits" in \`options\`, ${OPTIONS}`)],
    [{ capacity: 1, key: "" }, new RangeError(`${KEY} ""`)],
    [{ capacity: 1, key: 5 }, new TypeError(`${KEY} 5`)],
    [
      { capacity: 2 ** 52 },
      new RangeError("Expected `capacity` to be a positive integer below 2^52, got 4503599627370496"),
    ],
    [
      { capacity: 1, lease: 2 ** 31 },
      new RangeError("Expected `lease` to be a duration from 100 ms to 24 days, got 2147483648"),
    ],
    [{ capacity: 1, lease: "soon" }, new TypeError(`Expected \`lease\` ${DURATION} "soon"`)],
    [{ capacity: 1, lease: null }, new TypeError(`Expected \`lease\` ${DURATION} null`)],
    [{ capacity: 1, lease: -1 }, new RangeError(`Expected \`lease\` ${DURATION} -1`)],
    [
      { capacity: 1, lease: 99 },
      new RangeError("Expected `lease` to be a duration from 100 ms to 24 days, got 99"),
    ],
    [
      { capacity: 1, lease: "0.05s" },
      new RangeError('Expected `lease` to be a duration from 100 ms to 24 days, got "0.05s"'),
    ],
    [{ capacity: 1, timeout: "soon" }, new TypeError(`Expected \`timeout\` ${DURATION} "soon"`)],
    [{ capacity: 1, timeout: -1 }, new RangeError(`Expected \`timeout\` ${DURATION} -1`)],
    [
      { capacity: 1, maxWaiting: -1 },
      new RangeError("Expected `maxWaiting` to be a non-negative integer, got -1"),
    ],
    [
      { capacity: 1, maxWaiting: Number.POSITIVE_INFINITY },
      new RangeError("Expected `maxWaiting` to be a non-negative integer, got Infinity"),
    ],
    [
      { capacity: 1, maxWaiting: "5" },
      new TypeError('Expected `maxWaiting` to be a non-negative integer, got "5"'),
    ],
    [
      { capacity: 1, store: {} },
      new TypeError("Expected `store` to be a store that has semaphores, got an object"),
    ],
    [
      { capacity: 1, store: null },
      new TypeError("Expected `store` to be a store that has semaphores, got null"),
    ],
    [
      { capacity: 1, store: "redis://localhost" },
      new TypeError('Expected `store` to be a store that has semaphores, got "redis://localhost"'),
    ],
  ])("%o", (options, error) => {
    expect(() => new Semaphore(options as Untyped)).toThrow(error);
  });

  test.each(POSITIVE)("a capacity of %o, and so does the setter", (capacity, error) => {
    expect(() => new Semaphore({ capacity: capacity as number })).toThrow(error("capacity"));
    const { semaphore } = setUp();
    expect(() => {
      semaphore.capacity = capacity;
    }).toThrow(error("capacity"));
    expect(semaphore.capacity).toBe(1);
  });

  test("no lease from the shortest to the longest", () => {
    for (const lease of [100, 2 ** 31 - 1]) expect(() => new Semaphore({ capacity: 1, lease })).not.toThrow();
  });

  test("a store of somebody's own that has no semaphores", () => {
    const store: Store = new RemoteStore(new ManualClock());
    expect(() => new Semaphore({ capacity: 1, store })).toThrow(
      new TypeError("Expected `store` to be a store that has semaphores, got an object"),
    );
  });
});

describe("acquire and its like refuse, and ask the store nothing,", () => {
  test.each<[unknown, Error]>([
    [undefined, new TypeError(`${KEY} undefined`)],
    [null, new TypeError(`${KEY} null`)],
    [42, new TypeError(`${KEY} 42`)],
    ["", new RangeError(`${KEY} ""`)],
    ["ä".repeat(257), new RangeError(`${KEY} "${"ä".repeat(64)}…"`)],
    ["a\udc00", new TypeError('Expected `key` to be well-formed Unicode, got "a\\udc00"')],
  ])("the key %o", async (key, error) => {
    const { semaphore, arrange } = setUp();
    const fn = async () => expect.unreachable();
    await rejects(() => semaphore.acquire(key), error);
    await rejects(() => semaphore.acquire(key, { timeout: "1s" }), error);
    await rejects(() => semaphore.peek(key), error);
    await rejects(() => semaphore.run(key, fn), error);
    await rejects(() => semaphore.limit({ key: () => key })(fn)(), error);
    expect(() => semaphore.acquireSync(key)).toThrow(error);
    expect(arrange).not.toHaveBeenCalled();
  });

  test.each(POSITIVE)("permits of %o", async (permits, error) => {
    const { semaphore, arrange } = setUp();
    const fn = async () => expect.unreachable();
    await rejects(() => semaphore.acquire("key", { permits }), error("permits"));
    await rejects(() => semaphore.run("key", fn, { permits }), error("permits"));
    await rejects(() => semaphore.limit({ key: "key", permits: () => permits })(fn)(), error("permits"));
    expect(() => semaphore.acquireSync("key", permits)).toThrow(error("permits"));
    expect(() => semaphore.limit({ permits })).toThrow(error("permits"));
    expect(arrange).not.toHaveBeenCalled();
  });

  test.each<[unknown, Error]>([
    [null, new TypeError("Expected `options` to be an object, got null")],
    [2, new TypeError("Expected `options` to be an object, got 2")],
    [
      { cost: 1 },
      new TypeError('Unknown option "cost" in `options`, expected one of `permits`, `timeout`, `signal`'),
    ],
    [{ timeout: "soon" }, new TypeError(`Expected \`timeout\` ${DURATION} "soon"`)],
    [{ timeout: Number.POSITIVE_INFINITY }, new RangeError(`Expected \`timeout\` ${DURATION} Infinity`)],
    [{ signal: null }, new TypeError("Expected `signal` to be an AbortSignal, got null")],
    [
      { signal: new AbortController() },
      new TypeError("Expected `signal` to be an AbortSignal, got an object"),
    ],
  ])("the options %o", async (options, error) => {
    const { semaphore, arrange } = setUp();
    await rejects(() => semaphore.acquire("key", options), error);
    await rejects(() => semaphore.run("key", () => expect.unreachable(), options), error);
    expect(arrange).not.toHaveBeenCalled();
  });

  test("a run of what is no function", async () => {
    const { semaphore, arrange } = setUp();
    await rejects(() => semaphore.run("key"), new TypeError("Expected `fn` to be a function, got undefined"));
    await rejects(
      () => semaphore.run("key", "fn"),
      new TypeError('Expected `fn` to be a function, got "fn"'),
    );
    expect(arrange).not.toHaveBeenCalled();
  });
});

describe("limit refuses", () => {
  test.each<[unknown, Error]>([
    [null, new TypeError("Expected `options` to be an object, got null")],
    [
      { signal: AbortSignal.abort() },
      new TypeError('Unknown option "signal" in `options`, expected one of `key`, `permits`, `timeout`'),
    ],
    [{ key: 5 }, new TypeError(`${KEY} 5`)],
    [{ timeout: "soon" }, new TypeError(`Expected \`timeout\` ${DURATION} "soon"`)],
  ])("the options %o", (options, error) => {
    const { semaphore } = setUp();
    expect(() => semaphore.limit(options)).toThrow(error);
  });

  test.each([
    ["a class", [class {}], "Expected `fn` to be a function, got a class"],
    ["a text", ["fn"], 'Expected `fn` to be a function, got "fn"'],
    ["a field", [undefined, { kind: "field", name: "x" }], 'Expected `target` to be a method, got "field"'],
  ])("to decorate %s", (_, args, message) => {
    const { semaphore } = setUp();
    expect(() => semaphore.limit()(...args)).toThrow(new TypeError(message));
  });
});

test("acquireSync throws on a store that can't answer at once, and nothing is asked", () => {
  const store = new RemoteStore(new ManualClock()) as Untyped;
  store.arrange = vi.fn();
  const semaphore = new Semaphore({ capacity: 1, store });
  expect(() => semaphore.acquireSync("key")).toThrow(
    new TypeError("Expected `acquireSync` to be called on a store that answers at once, got remote"),
  );
  expect(store.arrange).not.toHaveBeenCalled();
});
