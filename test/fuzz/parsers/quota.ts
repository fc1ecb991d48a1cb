import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { parseQuota, type Quota } from "../../../src/quota.js";
import { checkComplaint, outcome, parser } from "../parser.js";
import { texts } from "../texts.js";

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  ...of(1_000, "s", "sec", "second", "seconds"),
  ...of(60_000, "m", "min", "minute", "minutes"),
  ...of(3_600_000, "h", "hr", "hour", "hours"),
  ...of(86_400_000, "d", "day", "days"),
  ...of(604_800_000, "w", "week", "weeks"),
};

function of(ms: number, ...names: string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, ms]));
}

/** The grammar of the documentation as one pattern. */
const QUOTA = new RegExp(
  `^ *(\\d+)(?: */ *| +per +)(?:(\\d+) *)?(${Object.keys(UNITS).join("|")})(?: +burst +(\\d+))? *$`,
  "i",
);
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

/** The quotas that a text names by that grammar, if it does. */
function quotasOf(text: string): Quota[] | undefined {
  const quotas = text.length > 256 ? [] : text.split(/[,;|]/).map(quotaOf);
  return quotas.length > 0 && quotas.every((quota) => quota !== undefined) ? quotas : undefined;
}

function quotaOf(text: string): Quota | undefined {
  const [, limit, count = "1", unit = "", burst = limit] = QUOTA.exec(text) ?? [];
  if (limit === undefined) return undefined;
  const numbers = [BigInt(limit), BigInt(count), BigInt(burst!)] as const;
  if (numbers.some((number) => number < 1n || number > LARGEST)) return undefined;
  const periodMs = numbers[1] * BigInt(UNITS[unit.toLowerCase()]!);
  if ((numbers[0] + numbers[2]) * periodMs > LARGEST) return undefined;
  return { limit: Number(limit), periodMs: Number(periodMs), burst: Number(burst) };
}

const number = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 2_000 }).map(String) },
  { weight: 1, arbitrary: fc.maxSafeNat().map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("0", "007", "9007199254740991", "9007199254740992", "1".repeat(30)),
  },
);
const spaces = fc.constantFrom("", " ", "   ");
const quota = fc
  .record({
    limit: number,
    per: fc.constantFrom("/", " per ", " / ", "  PER  ", "/ "),
    count: fc.option(
      fc.tuple(number, spaces).map((parts) => parts.join("")),
      { nil: "" },
    ),
    unit: fc.constantFrom(...Object.keys(UNITS), "MS", "Minutes", "WEEK"),
    burst: fc.option(
      number.map((units) => ` burst ${units}`),
      { nil: "" },
    ),
    around: spaces,
  })
  .map(({ limit, per, count, unit, burst, around }) => around + limit + per + count + unit + burst + around);
const several = fc
  .tuple(fc.array(quota, { minLength: 1, maxLength: 4 }), fc.constantFrom(",", ";", "|", " ; "))
  .map(([all, separator]) => all.join(separator));

const NAMES = ["`quota`", "`limit`", "`period`", "`burst`", "(limit + burst) * periodMs"];
/** The whole text is shown, so that the position can be found, and each of its characters may have to be spelled out. */
const LONGEST_COMPLAINT = 256 * 6 + 200;

export const quotaText = parser(
  "quota",
  texts(several, "1", "10", "/", " per ", "s", "ms", "minutes", " ", "burst", ";", ",", "|", "0", ".", "-"),
  (text) => {
    const expected = quotasOf(text);
    const result = outcome(() => parseQuota(text));
    if ("value" in result) return deepStrictEqual(result.value, expected ?? "a refusal");
    if (expected !== undefined) throw new Error(`Refused: ${result.error}`);
    checkComplaint(result.error, NAMES, LONGEST_COMPLAINT);
    checkPosition(text, (result.error as Error).message);
  },
  { parse: parseQuota, repeated: ["1", " ", "1/s,", "burst ", "/", "s", "per "] },
);

/** What a complaint says to have found at a position must stand there. */
function checkPosition(text: string, message: string): void {
  const [, position, found] = / at position (\d+), found ("\S.*"|" "|the end)$/.exec(message) ?? [];
  if (position === undefined) return;
  const at = Number(position);
  const stands = at === text.length ? "the end" : text[at];
  if (found !== stands && found !== `"${stands}"` && !/^"\\u[0-9a-f]{4}"$/.test(found!)) {
    throw new Error(`Something else stands at position ${position}: ${message}`);
  }
}
