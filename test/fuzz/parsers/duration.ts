import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { toMs } from "../../../src/duration.js";
import { checkComplaint, outcome, parser } from "../parser.js";
import { texts } from "../texts.js";

const UNITS = { ms: 1n, s: 1_000n, m: 60_000n, h: 3_600_000n, d: 86_400_000n, w: 604_800_000n } as const;
const PLACES = 16;

/** The milliseconds of a text: a decimal number of at most 16 digits on either side of the point, and a unit. */
function msOf(text: string): number | undefined {
  const unit = (["ms", "s", "m", "h", "d", "w"] as const).find((each) => text.toLowerCase().endsWith(each));
  const [whole = "", fraction = "0", ...more] = text.slice(0, text.length - (unit?.length ?? 0)).split(".");
  const isNumber = [whole, fraction].every((digits) => /^[0-9]{1,16}$/.test(digits));
  if (unit === undefined || more.length > 0 || !isNumber) return undefined;
  const scaled = BigInt(whole + fraction.padEnd(PLACES, "0")) * UNITS[unit];
  const ms = scaled / 10n ** BigInt(PLACES);
  const isWhole = ms * 10n ** BigInt(PLACES) === scaled;
  return isWhole && ms <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(ms) : undefined;
}

const digits = fc.oneof(
  fc.nat(9_999).map(String),
  fc.constantFrom("0", "00", "5", "001", "9007199254740991", "9007199254740992", "9".repeat(17)),
);
const duration = fc
  .tuple(
    digits,
    fc.option(digits, { nil: undefined }),
    fc.constantFrom(...Object.keys(UNITS), "MS", "S", "W"),
  )
  .map(([whole, fraction, unit]) => whole + (fraction === undefined ? "" : `.${fraction}`) + unit);

const LONGEST_COMPLAINT = 64 * 6 + 200;

export const durationText = parser(
  "duration",
  fc.oneof(
    { weight: 9, arbitrary: texts(duration, ..."0123456789.smhdwMS -e") },
    { weight: 1, arbitrary: fc.oneof(fc.double(), fc.integer(), fc.maxSafeNat(), fc.anything()) },
  ),
  (input) => {
    const result = outcome(() => toMs("timeout", input));
    const isWhole = typeof input === "number" && Number.isSafeInteger(input) && input >= 0;
    const expected = typeof input === "string" ? msOf(input) : isWhole ? input : undefined;
    if ("value" in result) return deepStrictEqual(result.value, expected ?? "a refusal");
    if (expected !== undefined) throw new Error(`Refused: ${result.error}`);
    checkComplaint(result.error, ["`timeout`"], LONGEST_COMPLAINT);
  },
  { parse: (text) => toMs("timeout", text), repeated: ["1", ".", "0.", "1s", " ", "ms", "-"] },
);
