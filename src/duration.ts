import { complaint } from "./argument.js";

/** A span of time: whole milliseconds, or text such as `"250ms"`, `"1.5s"`, `"2m"`, `"1h"`, `"1d"`, `"1w"`. */
export type Duration = number | DurationText;

/** A span of time as text, e.g. `"1.5s"`; it must come to whole milliseconds. */
export type DurationText = `${number}${"ms" | "s" | "m" | "h" | "d" | "w"}`;

/** Milliseconds of each unit that text may name. */
export const UNIT_MS: ReadonlyMap<string, number> = new Map(
  Object.entries({ ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }),
);

const EXPECTED = 'a duration: whole milliseconds, or text such as "250ms", "1.5s", "2m", "1h", "1d" or "1w"';
const TEXT = /^(\d{1,16})(?:\.(\d{1,16}))?(ms|[smhdw])$/i;

/**
 * Whole milliseconds of a duration, 0 or more; `toMs("1.5s")` is 1500.
 * @throws TypeError for anything but a number or a text of that form,
 * RangeError if it is negative, beyond 2^53-1 or a fraction of a millisecond.
 */
export function toMs(name: string, duration: unknown): number {
  const ms = typeof duration === "string" ? textToMs(name, duration) : duration;
  if (typeof ms !== "number") throw new TypeError(complaint(name, EXPECTED, duration));
  if (!Number.isSafeInteger(ms) || ms < 0) throw new RangeError(complaint(name, EXPECTED, duration));
  return ms;
}

function textToMs(name: string, text: string): number {
  const [, whole, fraction = "", unit = ""] = TEXT.exec(text) ?? [];
  if (whole === undefined) throw new TypeError(complaint(name, EXPECTED, text));
  const scaled = BigInt(whole + fraction) * BigInt(UNIT_MS.get(unit.toLowerCase()) ?? 0);
  const parts = 10n ** BigInt(fraction.length);
  return scaled % parts === 0n ? Number(scaled / parts) : Number.NaN;
}
