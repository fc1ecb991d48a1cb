const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029]/gu;

/** Text made fit for one line of an error message. */
export function printable(text: string, most: number): string {
  const short = text.length > most ? `${text.slice(0, most)}…` : text;
  return short.replace(UNPRINTABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Shows a value in an error message: short, on one line, and without the contents of objects. */
export function describe(value: unknown, most = 64): string {
  if (typeof value === "string") return `"${printable(value, most)}"`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}

/** The one phrasing of every complaint about an argument. */
export function complaint(name: string, expected: string, value: unknown): string {
  return `Expected \`${name}\` to be ${expected}, got ${describe(value)}`;
}

/**
 * Returns `value` if it is a whole number in the range.
 * @throws TypeError for anything but a number, RangeError for a number outside of it.
 */
export function wholeNumber(name: string, value: unknown, least: 0 | 1): number {
  const expected = least === 0 ? "a non-negative integer" : "a positive integer";
  if (typeof value !== "number") throw new TypeError(complaint(name, expected, value));
  if (Number.isInteger(value) && value > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(complaint(name, `${expected} below 2^53`, value));
  }
  if (!Number.isInteger(value) || value < least) throw new RangeError(complaint(name, expected, value));
  return value;
}

/** Returns `value` if it is a boolean or not given. @throws TypeError */
export function flag(name: string, value: unknown): boolean | undefined {
  if (value !== undefined && typeof value !== "boolean")
    throw new TypeError(complaint(name, "a boolean", value));
  return value;
}

/** Returns `value` if it is a function or not given. @throws TypeError */
export function functionOrNothing<F>(name: string, value: F): F {
  if (value !== undefined && typeof value !== "function")
    throw new TypeError(complaint(name, "a function", value));
  return value;
}

/** @throws TypeError if `options` is not an object or has a name that is not in `known`. */
export function knownOptions(name: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(complaint(name, "an object", options));
  }
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    const list = known.map((each) => `\`${each}\``).join(", ");
    throw new TypeError(`Unknown option ${describe(option)} in \`${name}\`, expected one of ${list}`);
  }
}
