import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { type RetryHint, retryHint } from "../../../src/integrations/retry-hints.js";
import { parser } from "../parser.js";
import { anyText, faulty, jumble } from "../texts.js";

type Headers = Readonly<Record<string, string>>;

/** Headers, and how long they ask to pause if that is known. */
interface Written {
  readonly headers: Headers;
  readonly pauseMs?: number;
}

const SENT = Date.UTC(2026, 10, 22, 12);
const DATE = new Date(SENT).toUTCString();
const PREFIXES = ["ratelimit", "x-ratelimit", "x-rate-limit"];

const seconds = fc.nat(999_999_999);
const later = fc.nat(10_000_000);
const retryAfter: fc.Arbitrary<Written> = fc.oneof(
  seconds.map((wait) => ({ headers: { "retry-after": `${wait}` }, pauseMs: wait * 1_000 })),
  fc.tuple(fc.nat(99_999), fc.nat(999)).map(([wait, ms]) => ({
    headers: { "retry-after": `${wait}.${String(ms).padStart(3, "0")}` },
    pauseMs: wait * 1_000 + ms,
  })),
  later.map((wait) => ({
    headers: { "retry-after": new Date(SENT + wait * 1_000).toUTCString(), date: DATE },
    pauseMs: wait * 1_000,
  })),
  later.map((wait) => ({
    headers: { "retry-after": `${SENT / 1_000 + wait}`, date: DATE },
    pauseMs: wait * 1_000,
  })),
);

/** Members of a list by RFC 9651: a name in quotes or as a token, and parameters in any order. */
const name = fc.oneof(
  fc.constantFrom("default", "a.b-c", "*"),
  fc.string({ maxLength: 8 }).map((text) => `"${text.replace(/["\\]/g, "\\$&")}"`),
);
const extra = fc.subarray(["q=100", "pk=:YWJjZA==:", 'note="a, \\"b\\"; r=0; t=9"', "flag"]);
const member = fc
  .record({
    name,
    remaining: fc.nat(2),
    reset: seconds,
    extra,
    backwards: fc.boolean(),
    space: fc.constantFrom("", " "),
  })
  .map(({ name: of, remaining, reset, extra: more, backwards, space }) => {
    const parameters = [`r=${remaining}`, `t=${reset}`, ...more];
    const text = [of, ...(backwards ? parameters.reverse() : parameters)].join(`;${space}`);
    return { text, pauseMs: remaining === 0 ? reset * 1_000 : 0 };
  });
const structured: fc.Arbitrary<Written> = fc
  .tuple(fc.array(member, { minLength: 1, maxLength: 4 }), fc.constantFrom(",", ", ", " ,\t"))
  .map(([all, comma]) => ({
    headers: { ratelimit: all.map(({ text }) => text).join(comma) },
    pauseMs: Math.max(...all.map(({ pauseMs }) => pauseMs)),
  }));
const draft7: fc.Arbitrary<Written> = fc.tuple(fc.nat(1), seconds).map(([remaining, reset]) => ({
  headers: { ratelimit: `limit=10, remaining=${remaining}, reset=${reset}` },
  pauseMs: remaining === 0 ? reset * 1_000 : 0,
}));
const apart: fc.Arbitrary<Written> = fc
  .tuple(fc.constantFrom(...PREFIXES), fc.nat(1), seconds)
  .map(([prefix, remaining, reset]) => ({
    headers: { [`${prefix}-remaining`]: `${remaining}`, [`${prefix}-reset`]: `${reset}` },
    pauseMs: remaining === 0 ? reset * 1_000 : 0,
  }));

const valid = fc.oneof(retryAfter, structured, draft7, apart);
const NAMES = [
  "retry-after",
  "date",
  "age",
  "ratelimit",
  ...PREFIXES.flatMap((each) => [`${each}-remaining`, `${each}-reset`]),
];
const value = fc.oneof(
  { weight: 3, arbitrary: faulty(valid.map(({ headers }) => Object.values(headers)[0]!)) },
  {
    weight: 2,
    arbitrary: jumble(
      '"',
      "\\",
      ",",
      ";",
      "=",
      " ",
      "\t",
      "r",
      "t",
      "=0",
      ";t=1",
      "remaining",
      "reset",
      ".",
      "9",
    ),
  },
  { weight: 1, arbitrary: anyText },
  { weight: 1, arbitrary: fc.oneof(fc.integer(), fc.double()).map(String) },
  { weight: 1, arbitrary: fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()) },
);
const wrong: fc.Arbitrary<Written> = fc
  .dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 4, noNullPrototype: true })
  .map((headers) => ({ headers }));

export const headersRead = parser(
  "headers-read",
  fc.record({
    written: fc.oneof({ weight: 2, arbitrary: valid }, { weight: 3, arbitrary: wrong }),
    status: fc.constantFrom(200, 202, 302, 403, 429, 500, 503),
  }),
  ({ written: { headers, pauseMs }, status }) => {
    const hint = read(status, headers);
    if (!Number.isSafeInteger(hint.pauseMs) || hint.pauseMs < 0)
      throw new Error(`Pauses for ${hint.pauseMs} ms`);
    if ((status === 429 || status === 503) && !hint.refused) throw new Error("No refusal");
    if (status < 400 && hint.refused) throw new Error("A refusal");
    if (pauseMs === undefined) return;
    const meant = status >= 400 || !("retry-after" in headers);
    deepStrictEqual(hint.pauseMs, meant ? pauseMs : 0);
    deepStrictEqual(read(status, { ...headers, age: "1" }).pauseMs, 0);
  },
  {
    parse: (text) => retryHint({ status: 429, headers: { get: () => text } }),
    repeated: ['"\\', '"', '"a";r=0;t=1,', "a=", " ", "a ", "1", ";", "\t,"],
  },
);

function read(status: number, headers: Headers): RetryHint {
  return retryHint({
    status,
    headers: { get: (each) => (Object.hasOwn(headers, each) ? headers[each]! : null) },
  });
}
