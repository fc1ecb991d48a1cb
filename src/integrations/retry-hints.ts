/** An answer, as far as it says when to come back. */
export interface Answered {
  readonly status: number;
  readonly headers: HeadersLike;
}

/** What an answer says about the calls to come. */
export interface RetryHint {
  /** Whether it turns its call away: 429, 503, or another error with a `Retry-After`. */
  readonly refused: boolean;
  /** Whole milliseconds for which no call should come; 0 if it does not say so. */
  readonly pauseMs: number;
}

interface HeadersLike {
  get(name: string): string | null;
}

/** What is left of a quota, and when there is more. */
interface Left {
  readonly remaining: string | null | undefined;
  readonly reset: string | null | undefined;
}

/** What the headers of a quota begin with. */
const PREFIXES = ["ratelimit", "x-ratelimit", "x-rate-limit"];

/**
 * Reads `Retry-After` of an error, or else `RateLimit` (of the IETF draft since version 7), `RateLimit-*`, `X-RateLimit-*` and
 * `X-Rate-Limit-*` where they say that nothing is left. It ignores what is malformed or comes from a cache, never throws, and
 * takes linear time.
 */
export function retryHint({ status, headers }: Answered): RetryHint {
  const fromCache = Number(headers.get("age")) > 0;
  const retryAfterMs = fromCache || status < 400 ? undefined : waitMs(headers.get("retry-after"), headers);
  const refused = status === 429 || status === 503 || retryAfterMs !== undefined;
  return { refused, pauseMs: retryAfterMs ?? (fromCache ? 0 : exhaustedMs(headers)) };
}

/** How long the quota rests that is used up, the longest of several; 0 if none is. */
function exhaustedMs(headers: HeadersLike): number {
  const named = PREFIXES.map((prefix) => ({
    remaining: headers.get(`${prefix}-remaining`),
    reset: headers.get(`${prefix}-reset`),
  }));
  return [...named, ...structured(headers.get("ratelimit") ?? "")].reduce((longest, { remaining, reset }) => {
    const isUsedUp = NUMBER.test(remaining ?? "") && Number(remaining) < 1;
    return isUsedUp ? Math.max(longest, waitMs(reset, headers) ?? 0) : longest;
  }, 0);
}

/** What the field `RateLimit` says: `"policy";r=0;t=30`, one or several, or `remaining=0, reset=30` as version 7 had it. */
function structured(field: string): Left[] {
  const members = membersOf(field);
  const all = new Map(members.flatMap((member) => [...member]));
  const quotas = members.map((member) => ({ remaining: member.get("r"), reset: member.get("t") }));
  return [...quotas, { remaining: all.get("remaining"), reset: all.get("reset") }];
}

/** One part of a structured field (RFC 9651), a key with its value or a value alone, and what comes after it. */
const PART = /[ \t]*(?:([a-z*][\w.*-]*)[ \t]*=[ \t]*)?("(?:[^"\\]|\\.)*"|[^\s",;]+)[ \t]*([,;]|$)/iy;

/** Many times what servers send at most; the stack of a pattern ends at some millions of characters. */
const LONGEST_FIELD = 65_536;

/** The members of a list or a dictionary, each as its keys and values; none if it is malformed or far too long. */
function membersOf(field: string): Map<string, string>[] {
  if (field.length > LONGEST_FIELD) return [];
  let member = new Map<string, string>();
  const members = [member];
  for (let at = 0; at < field.length; at = PART.lastIndex) {
    PART.lastIndex = at;
    const [whole, key, value, separator] = PART.exec(field) ?? [];
    if (whole === undefined) return [];
    if (key !== undefined) member.set(key, value!);
    if (separator === ",") {
      member = new Map();
      members.push(member);
    }
  }
  return members;
}

const NUMBER = /^\d{1,13}(?:\.\d{1,9})?$/;

/** The three forms of a date in HTTP, of which one does not name its zone, GMT. */
const DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[\w ,:-]{21,30}$/;

/** A number below this is a wait in seconds, as a moment it would be of the last century. */
const FIRST_SECOND = 1e9;
/** A number below this is a moment in seconds, from there on one in milliseconds. */
const FIRST_MILLISECOND = 1e12;

/** Whole milliseconds until a moment, which is a wait in seconds, a time of day in seconds or milliseconds, or a date. */
function waitMs(text: string | null | undefined, headers: HeadersLike): number | undefined {
  const number = NUMBER.test(text ?? "") ? Number(text) : undefined;
  if (number !== undefined && number < FIRST_SECOND) return secondsToMs(text!);
  const moment =
    number === undefined ? dateMs(text) : number < FIRST_MILLISECOND ? secondsToMs(text!) : number;
  // By the clock of whom it comes from, if possible: ours may differ.
  const now = dateMs(headers.get("date")) ?? Date.now();
  return moment === undefined ? undefined : Math.max(0, Math.ceil(moment - now));
}

/** Milliseconds, rounded up; in floating point, seconds times a thousand may come to one more. */
function secondsToMs(text: string): number {
  const [whole, fraction = ""] = text.split(".");
  return Number(whole) * 1_000 + Math.ceil(Number(fraction.padEnd(9, "0")) / 1e6);
}

function dateMs(text: string | null | undefined): number | undefined {
  if (!DATE.test(text ?? "")) return undefined;
  const moment = Date.parse(text!.endsWith(" GMT") ? text! : `${text} GMT`);
  return Number.isNaN(moment) ? undefined : moment;
}
