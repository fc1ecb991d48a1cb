import { complaint, describe, knownOptions, wholeNumber } from "./argument.js";
import { type Duration, toMs, UNIT_MS } from "./duration.js";

/** How much may be spent: `limit` in each `periodMs` milliseconds, at most `burst` of it at once. */
export interface Quota {
  /** Units of cost for each period, a positive integer. */
  readonly limit: number;
  /** Length of the period in whole milliseconds, 1 or more. */
  readonly periodMs: number;
  /** Capacity of the bucket algorithms in units of cost; equal to `limit` unless it was given. */
  readonly burst: number;
}

/** A quota as a user writes it: `"10/s burst 20"`, `{ limit: 10, period: "1s", burst: 20 }` or a `Quota`. */
export type QuotaInput =
  | string
  | { readonly limit: number; readonly period: Duration; readonly burst?: number }
  | Quota;

/** The optional part of a quota. */
export interface BurstOption {
  /** Capacity of the bucket algorithms in units of cost, a positive integer; by default the limit. */
  readonly burst?: number;
}

/** `limit` units in each second, e.g. `perSecond(10, { burst: 20 })`. @throws TypeError, RangeError */
export function perSecond(limit: number, options?: BurstOption): Quota {
  return perDuration("1s", limit, options);
}

/** `limit` units in each minute. @throws TypeError, RangeError */
export function perMinute(limit: number, options?: BurstOption): Quota {
  return perDuration("1m", limit, options);
}

/** `limit` units in each hour. @throws TypeError, RangeError */
export function perHour(limit: number, options?: BurstOption): Quota {
  return perDuration("1h", limit, options);
}

/** `limit` units in each 24 hours. @throws TypeError, RangeError */
export function perDay(limit: number, options?: BurstOption): Quota {
  return perDuration("1d", limit, options);
}

/** `limit` units in each 7 days. @throws TypeError, RangeError */
export function perWeek(limit: number, options?: BurstOption): Quota {
  return perDuration("1w", limit, options);
}

/**
 * `limit` units in each `period`, e.g. `perDuration("5m", 100)`.
 * @throws TypeError or RangeError if a number is no positive integer, or if `(limit + burst) * periodMs` is above 2^53-1.
 */
export function perDuration(period: Duration, limit: number, options: BurstOption = {}): Quota {
  knownOptions("options", options, ["burst"]);
  return quotaOf(limit, toMs("period", period), options.burst);
}

/**
 * The quotas that a text names, e.g. `parseQuota("10/s burst 20; 1000 per 2 hours")`, in linear time.
 * @throws TypeError showing the text and the position of the first thing that is not understood.
 */
export function parseQuota(text: string): Quota[] {
  return new QuotaText(text).quotas();
}

/** The quotas of one limiter: one input or several. @throws TypeError, RangeError */
export function toQuotas(input: QuotaInput | readonly QuotaInput[]): readonly Quota[] {
  if (!Array.isArray(input)) return quotasOf(input as QuotaInput);
  if (input.length === 0) throw new TypeError(complaint("quota", "at least one quota", input));
  return input.flatMap(quotasOf);
}

function quotasOf(input: QuotaInput): Quota[] {
  if (typeof input === "string") return parseQuota(input);
  if (typeof input !== "object") {
    throw new TypeError(complaint("quota", 'a text such as "10/s", or an object', input));
  }
  knownOptions("quota", input, ["limit", "period", "periodMs", "burst"]);
  if ("period" in input && "periodMs" in input) {
    throw new TypeError("Expected `quota` to have either `period` or `periodMs`, got both");
  }
  const periodMs =
    "periodMs" in input ? wholeNumber("periodMs", input.periodMs, 1) : toMs("period", input.period);
  return [quotaOf(input.limit, periodMs, input.burst)];
}

function quotaOf(limit: unknown, periodMs: number, burst: unknown = limit): Quota {
  const quota = {
    limit: wholeNumber("limit", limit, 1),
    periodMs: wholeNumber("period", periodMs, 1),
    burst: wholeNumber("burst", burst, 1),
  };
  if (quota.limit + quota.burst > Number.MAX_SAFE_INTEGER / quota.periodMs) {
    throw new RangeError(
      `Expected (limit + burst) * periodMs to be at most 2^53-1, got (${quota.limit} + ${quota.burst}) * ${quota.periodMs}`,
    );
  }
  return Object.freeze(quota);
}

const MAX_TEXT = 256;

const NAMED_UNIT_MS: ReadonlyMap<string, number> = new Map(
  [
    ["ms"],
    ["s", "sec", "second", "seconds"],
    ["m", "min", "minute", "minutes"],
    ["h", "hr", "hour", "hours"],
    ["d", "day", "days"],
    ["w", "week", "weeks"],
  ].flatMap((names) => names.map((name) => [name, UNIT_MS.get(names[0]!)!])),
);

/** A cursor over the text of quotas; each method consumes one part of the grammar or fails where it stands. */
class QuotaText {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    if (typeof text !== "string") throw new TypeError(complaint("text", "a string", text));
    if (text.length > MAX_TEXT) {
      throw new RangeError(`Expected \`quota\` to be at most ${MAX_TEXT} characters, got ${text.length}`);
    }
    this.#text = text;
  }

  quotas(): Quota[] {
    const quotas: Quota[] = [];
    do {
      this.#take(/ */y);
      quotas.push(this.#quota());
      this.#take(/ */y);
    } while (this.#take(/[,;|]/y));
    if (this.#at < this.#text.length) this.#fail('",", ";", "|" or the end');
    return quotas;
  }

  #quota(): Quota {
    const limit = this.#number();
    this.#per();
    const count = /\d/.test(this.#text.charAt(this.#at)) ? this.#number() : 1;
    this.#take(/ */y);
    const periodMs = count * this.#unitMs();
    const burst = this.#burst();
    return quotaOf(limit, periodMs, burst);
  }

  #per(): void {
    const spaces = this.#take(/ */y);
    if (!this.#take(/\/ */y) && !(spaces && this.#take(/per +/iy))) this.#fail('"/" or " per "');
  }

  #unitMs(): number {
    const word = this.#take(/[a-z]*/iy);
    return NAMED_UNIT_MS.get(word.toLowerCase()) ?? this.#fail("a unit (ms, s, m, h, d or w)", word);
  }

  #burst(): number | undefined {
    if (!this.#take(/ +burst(?![a-z])/iy)) return undefined;
    if (!this.#take(/ +/y)) this.#fail("a space and a number");
    return this.#number();
  }

  #number(): number {
    const digits = this.#take(/\d*/y);
    const number = Number(digits);
    return number > 0 && Number.isSafeInteger(number) ? number : this.#fail("a positive integer", digits);
  }

  /** What a sticky pattern matches here; empty if it does not. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [taken = ""] = pattern.exec(this.#text) ?? [];
    this.#at += taken.length;
    return taken;
  }

  /** Fails at what was just `taken`. */
  #fail(expected: string, taken = ""): never {
    const at = this.#at - taken.length;
    const found = at < this.#text.length ? describe(this.#text[at]) : "the end";
    throw new TypeError(
      `Expected \`quota\` to be like "10/s" or "100 per 5 minutes burst 20", got ${describe(this.#text, MAX_TEXT)}: ` +
        `expected ${expected} at position ${at}, found ${found}`,
    );
  }
}
