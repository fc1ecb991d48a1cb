import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryStore, Throttled } from "../src/index.js";
import { checkKey } from "../src/key.js";
import { ManualClock } from "../src/testing.js";

const expected = (got: string): string =>
  `Expected \`key\` to be a string of 1 to 512 UTF-8 bytes, got ${got}`;

describe("a key", () => {
  test.each([
    "a",
    " ",
    "0",
    "\0",
    "a\nb\r\n",
    "\u007f\u0080\u2028",
    "\ufeff",
    "{user}:42",
    "}{",
    "%7Buser%7D",
    "user:42*?[]",
    "__proto__",
    "constructor",
    "ключ",
    "🔑",
    "e\u0301",
    "a".repeat(512),
    "é".repeat(256),
    "€".repeat(170),
    "🔑".repeat(128),
    `${"€".repeat(170)}aa`,
  ])("may be %j", (key) => {
    expect(checkKey(key)).toBe(key);
  });

  test.each([
    ["", '""'],
    ["a".repeat(513), `"${"a".repeat(64)}…"`],
    ["é".repeat(257), `"${"é".repeat(64)}…"`],
    [`a${"é".repeat(256)}`, `"a${"é".repeat(63)}…"`],
    ["€".repeat(171), `"${"€".repeat(64)}…"`],
    [`a${"🔑".repeat(128)}`, `"a${"🔑".repeat(31)}\\ud83d…"`],
    ["\u0080".repeat(257), `"${"\\u0080".repeat(64)}…"`],
    ["\u0800".repeat(171), `"${"\u0800".repeat(64)}…"`],
    [`${"\u{10000}".repeat(128)}a`, `"${"\u{10000}".repeat(32)}…"`],
    ["a".repeat(1e6), `"${"a".repeat(64)}…"`],
  ])("of the wrong length is a RangeError (%#)", (key, got) => {
    expect(() => checkKey(key)).toThrow(new RangeError(expected(got)));
  });

  test.each([
    [undefined, "undefined"],
    [null, "null"],
    [42, "42"],
    [42n, "42n"],
    [true, "true"],
    [Symbol("key"), "a symbol"],
    [{ toString: () => "key" }, "an object"],
    [["key"], "an array"],
    [() => "key", "a function"],
    [new String("key"), "an object"],
    [Promise.resolve("key"), "an object"],
  ])("that is %o is a TypeError", (key, got) => {
    expect(() => checkKey(key)).toThrow(new TypeError(expected(got)));
  });

  test.each([
    ["\ud800", '"\\ud800"'],
    ["a\udc00b", '"a\\udc00b"'],
    ["\udc00\ud800", '"\\udc00\\ud800"'],
  ])("with half of a surrogate pair is a TypeError: %j", (key, got) => {
    expect(() => checkKey(key)).toThrow(
      new TypeError(`Expected \`key\` to be well-formed Unicode, got ${got}`),
    );
  });

  test("counts its bytes as UTF-8 does", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 600 }), (key) => {
        if (Buffer.byteLength(key) <= 512) expect(checkKey(key)).toBe(key);
        else expect(() => checkKey(key)).toThrow(RangeError);
      }),
    );
  });
});

test("no two different keys share a state, and equal ones do", () => {
  const limiter = new Throttled({ quota: "1/h", store: new MemoryStore({ clock: new ManualClock() }) });
  const keys = [
    "a",
    "A",
    "a ",
    " a",
    "a\0",
    "\0",
    "{a}",
    "%7Ba%7D",
    "%257Ba%257D",
    "é",
    "e\u0301",
    "__proto__",
  ];
  keys.push("constructor", "toString", "undefined", "null", "1", "01");
  for (const key of keys) expect(limiter.limitSync(key).limited).toBe(false);
  for (const key of keys) expect(limiter.limitSync(key).limited).toBe(true);
});
