import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  type HeaderVersion,
  rateLimitHeaders,
  type Told,
} from "../../../src/integrations/rate-limit-headers.js";
import { retryHint } from "../../../src/integrations/retry-hints.js";
import { checkComplaint, outcome, parser } from "../parser.js";

const NUMBER = "\\d{1,15}";
const NAME = '"[\\x20-\\x21\\x23-\\x5B\\x5D-\\x7E]*"';
const list = (item: string): RegExp => new RegExp(`^${item}(, ${item})*$`);
/** The grammar of each value, by RFC 9651 and what each version says. */
const GRAMMAR: Readonly<Record<HeaderVersion, Readonly<Record<string, RegExp>>>> = {
  "draft-10": {
    "RateLimit-Policy": list(`${NAME};q=${NUMBER};w=[1-9]\\d{0,14}`),
    RateLimit: list(`${NAME};r=${NUMBER};t=${NUMBER}`),
  },
  "draft-7": {
    "RateLimit-Policy": list(`${NUMBER};w=[1-9]\\d{0,14}`),
    RateLimit: new RegExp(`^limit=${NUMBER}, remaining=${NUMBER}, reset=${NUMBER}$`),
  },
  legacy: {
    "X-RateLimit-Limit": /^\d{1,15}$/,
    "X-RateLimit-Remaining": /^\d{1,15}$/,
    "X-RateLimit-Reset": /^\d{1,15}$/,
  },
};
const VERSIONS = Object.keys(GRAMMAR) as HeaderVersion[];

const whole = fc.oneof(fc.nat(), fc.nat(9), fc.maxSafeNat());
const many = fc.oneof(
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  fc.integer({ min: 1, max: 9_999 }),
);
const quota = fc.record({ limit: many, periodMs: many, burst: many });
const told: fc.Arbitrary<Told> = fc.record({
  quotas: fc.tuple(quota, quota),
  result: fc.record({
    limited: fc.boolean(),
    quotaIndex: fc.constantFrom(0, 1),
    source: fc.constant("store" as const),
    limit: whole,
    remaining: whole,
    resetAfterMs: whole,
    retryAfterMs: fc.oneof(whole, fc.constant(Number.POSITIVE_INFINITY)),
  }),
});

export const headersWritten = parser(
  "headers-written",
  fc.record({
    all: fc.array(told, { minLength: 1, maxLength: 3 }),
    version: fc.constantFrom(...VERSIONS, "draft-8", "__proto__"),
  }),
  ({ all, version }) => {
    const result = outcome(() => rateLimitHeaders(all, version as HeaderVersion));
    if ("error" in result) return checkComplaint(result.error, ["`headers`"], 200);
    const { "Retry-After": retryAfter, ...values } = Object.fromEntries(result.value);
    const grammar = GRAMMAR[version as HeaderVersion];
    deepStrictEqual(Object.keys(values), Object.keys(grammar));
    for (const [name, value] of Object.entries(values)) {
      if (!grammar[name]!.test(value)) throw new Error(`${name}: ${value}`);
    }
    deepStrictEqual(retryAfter, retryAfterOf(all));
    checkReadBack(new Map(result.value.map(([name, value]) => [name.toLowerCase(), value])));
  },
  { parse: (text) => rateLimitHeaders([], text as HeaderVersion), repeated: ["draft-10", "\r\n"] },
);

/** Seconds of the longest wait, one at least; none where something was not refused, or never passes. */
function retryAfterOf(all: readonly Told[]): string | undefined {
  const waits = all.filter(({ result }) => result.limited).map(({ result }) => result.retryAfterMs);
  const longest = Math.max(...waits);
  if (!Number.isFinite(longest)) return undefined;
  return String(Math.min(Math.max(1, Math.ceil(longest / 1_000)), 999_999_999_999_999));
}

/** Who calls somebody with these headers waits as long as they say. */
function checkReadBack(headers: ReadonlyMap<string, string>): void {
  const { refused, pauseMs } = retryHint({
    status: 429,
    headers: { get: (name) => headers.get(name) ?? null },
  });
  const seconds = Number(headers.get("retry-after"));
  // From there on a number is a moment.
  if (seconds < 1e9) deepStrictEqual({ refused, pauseMs }, { refused: true, pauseMs: seconds * 1_000 });
}
