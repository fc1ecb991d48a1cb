import { describe, expect, test } from "vitest";
import { retryHint } from "../../src/integrations/retry-hints.js";

const DATE = "Sun, 22 Nov 2026 12:00:00 GMT";
const AT = Date.UTC(2026, 10, 22, 12);

const hint = (status: number, headers: Record<string, string>) =>
  retryHint({ status, headers: new Headers(headers) });

describe("`Retry-After`", () => {
  test.each([
    ["120", 120_000],
    ["0", 0],
    ["0.65", 650],
    ["1.0001", 1_001],
    ["65536.195", 65_536_195],
    ["999999999", 999_999_999_000],
    ["1000000000", 0],
    ["999999999999", 999_999_999_999_000 - AT],
    ["1000000000000", 0],
    ["Sun, 22 Nov 2026 12:00:30 GMT", 30_000],
    ["Sunday, 22-Nov-26 12:00:30 GMT", 30_000],
    ["Sun Nov 22 12:00:30 2026", 30_000],
    ["Sun, 22 Nov 2026 11:59:30 GMT", 0],
    [`${AT / 1_000 + 30}`, 30_000],
  ])("of a refusal, %s, is a pause of %i ms", (text, pauseMs) => {
    expect(hint(429, { "retry-after": text, date: DATE })).toEqual({ refused: true, pauseMs });
  });

  test.each([
    "-1",
    "1e3",
    "soon",
    "",
    "1, 2",
    "12345678901234",
    "Sun, 22 Nov 2026 12:00:30 +0200",
    "on Sun, 22 Nov 2026 12:00:30 GMT",
    "Sun, 99 Nov 2026 99:00:30 GMT",
    "Tomorrow, at about the same time GMT",
  ])("that is malformed, %j, is ignored", (text) => {
    expect(hint(503, { "retry-after": text, date: DATE })).toEqual({ refused: true, pauseMs: 0 });
    expect(hint(403, { "retry-after": text, date: DATE })).toEqual({ refused: false, pauseMs: 0 });
  });

  test("counts from the clock of this machine if the answer has no date, or one that is malformed", () => {
    for (const sent of [{}, { date: "yesterday" }] as Record<string, string>[]) {
      const text = new Date(Date.now() + 60_000).toUTCString();
      const { pauseMs } = hint(503, { "retry-after": text, ...sent });
      expect(pauseMs).toBeGreaterThan(30_000);
      expect(pauseMs).toBeLessThanOrEqual(60_000);
    }
  });

  test("makes a refusal of any error, and means nothing otherwise", () => {
    expect(hint(403, { "retry-after": "5" })).toEqual({ refused: true, pauseMs: 5_000 });
    expect(hint(500, { "retry-after": "5" })).toEqual({ refused: true, pauseMs: 5_000 });
    expect(hint(400, { "retry-after": "5" })).toEqual({ refused: true, pauseMs: 5_000 });
    expect(hint(399, { "retry-after": "5" })).toEqual({ refused: false, pauseMs: 0 });
    expect(hint(202, { "retry-after": "5" })).toEqual({ refused: false, pauseMs: 0 });
    expect(hint(302, { "retry-after": "5" })).toEqual({ refused: false, pauseMs: 0 });
  });

  test("comes before all else", () => {
    const headers = { "retry-after": "5", ratelimit: '"all";r=0;t=30' };
    expect(hint(429, headers).pauseMs).toBe(5_000);
    expect(hint(200, headers).pauseMs).toBe(30_000);
  });
});

describe("a quota that is used up is a pause", () => {
  test.each<[string, Record<string, string>, number]>([
    ["as the draft has it", { ratelimit: '"default";r=0;t=30' }, 30_000],
    ["with spaces and a partition", { ratelimit: '"2-in-15min"; r=0; t=900; pk=:MTJj+/YQ==:' }, 900_000],
    ["as a token", { ratelimit: "default;t=30;r=0" }, 30_000],
    ["one of several, the longest", { ratelimit: '"a";r=0;t=3, "b";r=0;t=7, "c";r=1;t=90' }, 7_000],
    ["with a name full of separators", { ratelimit: '"a,\\"b;r=0;t=9\\";";r=0;t=4' }, 4_000],
    ["with the longest name there may be", { ratelimit: `"${"a".repeat(65_526)}";r=0;t=4` }, 4_000],
    ["as version 7 has it", { ratelimit: "limit=10, remaining=0, reset=30" }, 30_000],
    ["as version 6 has it", { "ratelimit-remaining": "0", "ratelimit-reset": "30" }, 30_000],
    ["in seconds", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "30" }, 30_000],
    ["as GitHub has it", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${AT / 1_000 + 9}` }, 9_000],
    ["in milliseconds", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${AT + 1_234}` }, 1_234],
    [
      "as a date",
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "Sun, 22 Nov 2026 12:01:00 GMT" },
      60_000,
    ],
    ["with fractions", { "x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "0.25" }, 250],
    ["with another hyphen", { "x-rate-limit-remaining": "0", "x-rate-limit-reset": "30" }, 30_000],
    [
      "in several ways, the longest",
      { ratelimit: '"a";r=0;t=3', "x-ratelimit-remaining": "0", "x-ratelimit-reset": "4" },
      4_000,
    ],
  ])("%s", (_, headers, pauseMs) => {
    expect(hint(200, { ...headers, date: DATE })).toEqual({ refused: false, pauseMs });
    expect(hint(429, { ...headers, date: DATE })).toEqual({ refused: true, pauseMs });
  });
});

describe("nothing is a pause", () => {
  test.each<[string, Record<string, string>]>([
    ["without such headers", {}],
    ["as long as something is left", { ratelimit: '"a";r=1;t=30' }],
    ["where it is not said until when", { ratelimit: '"a";r=0', "x-ratelimit-remaining": "0" }],
    ["where it is not said what is left", { ratelimit: '"a";t=30', "x-ratelimit-reset": "30" }],
    ["that is over", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${AT / 1_000 - 9}` }],
    ["where -1 means no limit", { "x-ratelimit-remaining": "-1", "x-ratelimit-reset": "30" }],
    ["where a string does not end", { ratelimit: '"a;r=0;t=30' }],
    ["where a part is missing", { ratelimit: '"a";;r=0;t=30' }],
    ["where words follow each other", { ratelimit: "a b;r=0;t=30" }],
    ["with a name that is longer than it may be", { ratelimit: `"${"a".repeat(65_527)}";r=0;t=4` }],
    ["in a field of millions of characters", { ratelimit: `"${"a".repeat(16_000_000)}";r=0;t=30` }],
    ["that comes from a cache", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "30", age: "17" }],
  ])("%s", (_, headers) => {
    expect(hint(200, { ...headers, date: DATE })).toEqual({ refused: false, pauseMs: 0 });
  });

  test("where a refusal comes from a cache", () => {
    expect(hint(429, { "retry-after": "5", age: "17" })).toEqual({ refused: true, pauseMs: 0 });
    expect(hint(403, { "retry-after": "5", age: "17" })).toEqual({ refused: false, pauseMs: 0 });
  });
});
