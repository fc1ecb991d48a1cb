const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6 };

/** A whole number of the command line, where `k` stands for thousands and `m` for millions. @throws RangeError */
export function count(name: string, text: string): number {
  const [, digits, unit = ""] = /^(\d+)([km]?)$/i.exec(text) ?? [];
  const number = Number(digits) * UNITS[unit.toLowerCase()]!;
  if (Number.isSafeInteger(number)) return number;
  throw new RangeError(`Expected --${name} to be a whole number such as 500k or 10m, got ${text}`);
}

/** One of some names. @throws RangeError that lists them. */
export function oneOf<T extends string>(name: string, text: string, names: readonly T[]): T {
  const found = names.find((each) => each === text);
  if (found !== undefined) return found;
  throw new RangeError(`Expected --${name} to be one of ${names.join(", ")}, got ${text}`);
}
