import { describe, expect, test } from "vitest";
import {
  type AlgorithmName,
  FixedWindow,
  Gcra,
  LeakyBucket,
  MemoryStore,
  SlidingWindow,
  Throttled,
  type ThrottledOptions,
  TokenBucket,
} from "../src/index.js";
import { ManualClock } from "../src/testing.js";

const construct = (options: unknown) => () => new Throttled(options as ThrottledOptions<MemoryStore>);
const memory = (): MemoryStore => new MemoryStore({ clock: new ManualClock() });

describe("a Throttled without options", () => {
  test("lets 60 calls a minute pass", async () => {
    const limiter = new Throttled();
    expect(limiter.quotas).toEqual([{ limit: 60, periodMs: 60_000, burst: 60 }]);
    expect(await limiter.limit("a key of the defaults")).toMatchObject({
      limited: false,
      limit: 60,
      remaining: 59,
    });
  });

  test("keeps its keys in one MemoryStore that the whole process shares", () => {
    const [one, other] = [new Throttled(), new Throttled()];
    expect(one.store).toBeInstanceOf(MemoryStore);
    expect(one.store).toBe(other.store);
    one.limitSync("a key of two limiters", 60);
    expect(other.limitSync("a key of two limiters").limited).toBe(true);
  });

  test("has no key of its own", async () => {
    const message = "Expected `key` to be a string of 1 to 512 UTF-8 bytes, got undefined";
    await expect(new Throttled().limit()).rejects.toThrow(new TypeError(message));
    expect(() => new Throttled().limitSync()).toThrow(new TypeError(message));
  });

  test("is a token bucket", () => {
    const [clock, quota] = [new ManualClock(), "2/s burst 3"];
    const limiter = new Throttled({ quota, store: new MemoryStore({ clock }) });
    expect(limiter.limitSync("k", 3)).toMatchObject({ limited: false, limit: 3 });
    clock.advance(500);
    expect(limiter.peekSync("k").remaining).toBe(1);
  });
});

describe("limiters", () => {
  const equal = { using: "gcra", quota: "1/h" } as const;

  test("of the same store, algorithm, quota and key share one state, however the quota is written", () => {
    const store = memory();
    new Throttled({ ...equal, store }).limitSync("k");
    for (const quota of ["1/h", "1 per 60 minutes burst 1", { limit: 1, period: "1h" }, ["1/h"]] as const) {
      expect(new Throttled({ using: "gcra", quota, store }).limitSync("k").limited).toBe(true);
    }
    expect(new Throttled({ ...equal, store, key: "k" }).limitSync().limited).toBe(true);
    expect(new Throttled({ using: Gcra, quota: "1/h", store }).limitSync("k").limited).toBe(true);
  });

  test.each<[string, ThrottledOptions<MemoryStore>]>([
    ["another store", { ...equal, store: memory() }],
    ["another algorithm", { ...equal, using: "token-bucket" }],
    ["another limit", { ...equal, quota: "2/h" }],
    ["another period", { ...equal, quota: "1/m" }],
    ["another burst", { ...equal, quota: "1/h burst 2" }],
    ["more quotas", { ...equal, quota: "1/h; 1/d" }],
  ])("of %s share nothing", (_what, options) => {
    const store = memory();
    const one = new Throttled({ ...equal, store });
    const other = new Throttled({ store, ...options });
    expect(one.limitSync("k").limited).toBe(false);
    expect(other.limitSync("k").limited).toBe(false);
    expect(one.limitSync("k").limited).toBe(true);
  });

  test("take an algorithm by name or by class", () => {
    const classes = {
      "fixed-window": FixedWindow,
      "sliding-window": SlidingWindow,
      "token-bucket": TokenBucket,
      "leaky-bucket": LeakyBucket,
      gcra: Gcra,
    };
    const store = memory();
    for (const [name, using] of Object.entries(classes)) {
      expect(new Throttled({ using, quota: "1/h", store }).limitSync("k").limited).toBe(false);
      expect(
        new Throttled({ using: name as AlgorithmName, quota: "1/h", store }).limitSync("k").limited,
      ).toBe(true);
    }
  });

  test("take an algorithm of one's own", () => {
    class Strict extends TokenBucket {
      static override readonly algorithmName = "strict-bucket" as "token-bucket";
      override remaining(): number {
        return 0;
      }
    }
    const limiter = new Throttled({ using: Strict, quota: "5/s", store: memory() });
    expect(limiter.limitSync("k")).toMatchObject({ limited: false, limit: 5, remaining: 0 });
  });
});

describe("a wrong option", () => {
  const using =
    'Expected `using` to be one of "fixed-window", "sliding-window", "token-bucket", "leaky-bucket", "gcra", or an algorithm of your own';

  test.each([
    [null, "Expected `options` to be an object, got null"],
    ["10/s", 'Expected `options` to be an object, got "10/s"'],
    [[], "Expected `options` to be an object, got an array"],
    [
      { quotas: "10/s" },
      'Unknown option "quotas" in `options`, expected one of `key`, `using`, `quota`, `store`, `cost`, `timeout`, `onAllowed`, `onLimited`',
    ],
    [{ onLimited: 5 }, "Expected `onLimited` to be a function, got 5"],
    [{ onAllowed: null }, "Expected `onAllowed` to be a function, got null"],
    [{ key: 5 }, "Expected `key` to be a string of 1 to 512 UTF-8 bytes, got 5"],
    [{ key: "\ud800" }, 'Expected `key` to be well-formed Unicode, got "\\ud800"'],
    [{ using: "token_bucket" }, `${using}, got "token_bucket"`],
    [{ using: "__proto__" }, `${using}, got "__proto__"`],
    [{ using: null }, `${using}, got null`],
    [{ using: {} }, `${using}, got an object`],
    [{ cost: "1" }, 'Expected `cost` to be a non-negative integer, got "1"'],
    [{ cost: null }, "Expected `cost` to be a non-negative integer, got null"],
    [{ store: {} }, "Expected `store` to be a store, got an object"],
    [{ store: 5 }, "Expected `store` to be a store, got 5"],
    [{ store: null }, "Expected `store` to be a store, got null"],
  ])("is a TypeError: %o", (options, message) => {
    expect(construct(options)).toThrow(new TypeError(message));
  });

  test.each([
    [{ key: "" }, 'Expected `key` to be a string of 1 to 512 UTF-8 bytes, got ""'],
    [{ cost: -1 }, "Expected `cost` to be a non-negative integer, got -1"],
    [{ cost: 0.5 }, "Expected `cost` to be a non-negative integer, got 0.5"],
    [{ cost: Number.NaN }, "Expected `cost` to be a non-negative integer, got NaN"],
    [
      { timeout: -1 },
      'Expected `timeout` to be a duration: whole milliseconds, or text such as "250ms", "1.5s", "2m", "1h", "1d" or "1w", got -1',
    ],
  ])("is a RangeError: %o", (options, message) => {
    expect(construct(options)).toThrow(new RangeError(message));
  });

  test("is a TypeError: a class as algorithm that can't be part of a key by its name", () => {
    const complaint = (got: string): TypeError =>
      new TypeError(`Expected \`using.algorithmName\` to be a name in kebab case, got ${got}`);
    const own = Object.assign(class {}, { algorithmName: "Own:Bucket" });
    expect(construct({ using: own })).toThrow(complaint('"Own:Bucket"'));
    expect(construct({ using: class {} })).toThrow(complaint("undefined"));
  });
});
