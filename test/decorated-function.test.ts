import { describe, expect, test } from "vitest";
import {
  LimitedError,
  MemoryStore,
  type SyncStore,
  Throttled,
  type ThrottledOptions,
  throttled,
  throttledSync,
} from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { RemoteStore } from "./support/remote-store.js";

// biome-ignore lint/suspicious/noExplicitAny: wrong arguments are the point, and the types refuse them.
type Untyped = any;

function setUp() {
  const store = new MemoryStore({ clock: new ManualClock() });
  const limiter = new Throttled({ quota: "10/h", store });
  return {
    limiter,
    options: { quota: "10/h", store },
    left: (key: string) => limiter.peekSync(key).remaining,
  };
}

describe("a plain function", () => {
  test("is limited under its name or the key that it is given", async () => {
    const { options, left } = setUp();
    async function get(id: string) {
      return `user ${id}`;
    }
    const limited = throttled(options)(get);
    expect(await limited("42")).toBe("user 42");
    expect([limited.name, limited.length]).toEqual(["get", 1]);
    expect(await throttled({ ...options, key: (id: string) => `get:${id}` })(get)("7")).toBe("user 7");
    expect([left("get"), left("get:7")]).toEqual([9, 9]);
  });

  test("that answers at once is limited by throttledSync", () => {
    const { options, left } = setUp();
    const double = (n: number): number => n * 2;
    const limited = throttledSync({ ...options, cost: (n: number) => n })(double);
    expect(limited(4)).toBe(8);
    expect(() => limited(7)).toThrow(LimitedError);
    expect(left("double")).toBe(6);
  });

  test("without a name uses the key of a shared limiter, or needs one", async () => {
    const { options, limiter } = setUp();
    const keyed = new Throttled({ ...options, key: "own" });
    await throttled(keyed)(async () => {})();
    expect(limiter.peekSync("own").remaining).toBe(9);
    await throttled(limiter, { key: "given" })(async () => {})();
    const error = new TypeError("Expected `key` to be given for a function without a name");
    expect(() => throttled(limiter)(async () => {})).toThrow(error);
    expect(() => throttled(options)(async () => {})).toThrow(error);
    expect(() => throttledSync(options)(() => {})).toThrow(error);
  });
});

describe("wrong use of a decorator", () => {
  const decorate =
    (...args: unknown[]) =>
    () =>
      (throttled(setUp().options) as Untyped)(...args);
  const method = async (): Promise<void> => {};

  test.each(["getter", "setter", "class"])("on a %s is a TypeError", (kind) => {
    expect(decorate(method, { kind, name: "x" })).toThrow(
      new TypeError(`Expected \`target\` to be a method, got "${kind}"`),
    );
  });

  test.each([
    ["field", undefined],
    ["accessor", { get: method, set: method }],
  ])("on a %s is a TypeError that says so", (kind, value) => {
    expect(decorate(value, { kind, name: "x" })).toThrow(
      new TypeError(`Expected \`target\` to be a method, got "${kind}"`),
    );
  });

  test("on a class is a TypeError, as nobody could construct it any more", () => {
    class Api {}
    expect(decorate(Api)).toThrow(TypeError);
    expect(decorate(Api)).toThrow(/^Expected `(fn|target)` to be /);
  });

  test.each([[undefined], [null], [5], ["get"], [{}]])("on %o is a TypeError", (target) => {
    expect(decorate(target)).toThrow(TypeError);
    expect(decorate(target)).toThrow(/^Expected `fn` to be a function, got /);
  });

  test("is a TypeError for options that are none, or are not known", () => {
    const build =
      (...args: unknown[]) =>
      () =>
        (throttled as Untyped)(...args);
    for (const [options, got] of [
      [undefined, "undefined"],
      [null, "null"],
      ["10/s", '"10/s"'],
      [method, "a function"],
    ]) {
      expect(build(options)).toThrow(new TypeError(`Expected \`options\` to be an object, got ${got}`));
    }
    expect(build({ quotas: "10/s" })).toThrow(
      /^Unknown option "quotas" in `options`, expected one of `key`, /,
    );
    expect(build({ quota: "ten" })).toThrow(TypeError);
  });

  test("is a TypeError for wrong options of this use of a shared limiter", () => {
    const { limiter } = setUp();
    const build = (options: unknown) => () => (throttled as Untyped)(limiter, options)(method);
    expect(build({ quota: "10/s" })).toThrow(
      new TypeError(
        'Unknown option "quota" in `options`, expected one of `key`, `cost`, `timeout`, `refundOnError`',
      ),
    );
    expect(build({ cost: -1 })).toThrow(
      new RangeError("Expected `cost` to be a non-negative integer, got -1"),
    );
    expect(build({ key: 5 })).toThrow(
      new TypeError("Expected `key` to be a string of 1 to 512 UTF-8 bytes, got 5"),
    );
  });

  test.each([
    [null, "null"],
    ["key", '"key"'],
  ])("is a TypeError for options of this use that are %o", (options, got) => {
    expect(() => (throttled as Untyped)(setUp().limiter, options)(method)).toThrow(
      new TypeError(`Expected \`options\` to be an object, got ${got}`),
    );
  });

  test("is a TypeError for throttledSync on a store that can't answer at once", () => {
    const store = new RemoteStore(new ManualClock());
    const options = { quota: "10/h", store } as unknown as ThrottledOptions<SyncStore>;
    function get(): void {}
    expect(() => throttledSync(options as Untyped)(get)).toThrow(
      new TypeError("Expected `wrapSync` to be called on a store that answers at once, got remote"),
    );
    expect(store.asked).toEqual([]);
  });
});
