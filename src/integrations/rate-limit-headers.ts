import { complaint } from "../argument.js";
import type { Quota } from "../quota.js";
import type { RateLimitResult } from "../result.js";

/**
 * How answers tell clients their limits: by the structured fields of the IETF draft (`draft-ietf-httpapi-ratelimit-headers`,
 * version 10), as version 7 had them, or by the `X-RateLimit-*` of old.
 */
export type HeaderVersion = "draft-10" | "draft-7" | "legacy";

/** A decision, as headers tell it. */
export interface Told {
  /** The quotas that were asked, in the order of `quotaIndex`. */
  readonly quotas: readonly Quota[];
  readonly result: RateLimitResult;
}

/** A header by its name. */
export type Header = readonly [name: string, value: string];

/**
 * The headers that tell a client of one or several decisions about its request, `Retry-After` among them if one of them refused
 * it and will ever pass. Times are whole seconds, rounded up.
 * @throws TypeError for an unknown version.
 */
export function rateLimitHeaders(
  told: Told | readonly Told[],
  version: HeaderVersion = "draft-10",
): Header[] {
  const all: Told[] = [told].flat();
  if (!Object.hasOwn(SERIALIZERS, version)) {
    throw new TypeError(complaint("headers", `one of ${Object.keys(SERIALIZERS).join(", ")}`, version));
  }
  const retryAfterMs = Math.max(0, ...all.map(({ result }) => (result.limited ? result.retryAfterMs : 0)));
  const retry: Header[] = all.some(({ result }) => result.limited) ? retryAfter(retryAfterMs) : [];
  return [...(all.length === 0 ? [] : SERIALIZERS[version](all)), ...retry];
}

/** `Retry-After`, unless that is never. */
export function retryAfter(ms: number): Header[] {
  return Number.isFinite(ms) ? [["Retry-After", String(Math.max(1, seconds(ms)))]] : [];
}

/** What a quota is called in headers, e.g. `"100-in-60s"`. */
export function policyName({ limit, periodMs }: Quota): string {
  return periodMs % 1_000 === 0 ? `${limit}-in-${periodMs / 1_000}s` : `${limit}-in-${periodMs}ms`;
}

const SERIALIZERS: Readonly<Record<HeaderVersion, (told: readonly Told[]) => Header[]>> = {
  "draft-10": (told) => [
    ["RateLimit-Policy", policies(told, (quota) => `"${policyName(quota)}";q=`)],
    [
      "RateLimit",
      [...byPolicy(told)]
        .map(([name, result]) => `"${name}";r=${integer(result.remaining)};t=${untilMore(result)}`)
        .join(", "),
    ],
  ],
  "draft-7": (told) => {
    const result = scarcest(told);
    const [limit, remaining] = [integer(result.limit), integer(result.remaining)];
    return [
      ["RateLimit-Policy", policies(told, () => "")],
      ["RateLimit", `limit=${limit}, remaining=${remaining}, reset=${untilMore(result)}`],
    ];
  },
  legacy: (told) => {
    const result = scarcest(told);
    return [
      ["X-RateLimit-Limit", integer(result.limit)],
      ["X-RateLimit-Remaining", integer(result.remaining)],
      ["X-RateLimit-Reset", integer(Math.ceil(Date.now() / 1_000) + untilMore(result))],
    ];
  },
};

/** Each policy once: limiters of equal quotas share theirs. */
function policies(told: readonly Told[], before: (quota: Quota) => string): string {
  const quotas = told.flatMap((each) => each.quotas);
  const items = quotas.map((quota) => `${before(quota)}${integer(quota.limit)};w=${window(quota)}`);
  return [...new Set(items)].join(", ");
}

/** Of each policy the decision that matters most. */
function byPolicy(told: readonly Told[]): Map<string, RateLimitResult> {
  const all = new Map<string, RateLimitResult>();
  for (const { quotas, result } of told) {
    const name = policyName(quotas[result.quotaIndex]!);
    const other = all.get(name);
    if (other === undefined || weight(result) < weight(other)) all.set(name, result);
  }
  return all;
}

/** The decision that matters most to the client: a refusal, or the one with least left. */
function scarcest(told: readonly Told[]): RateLimitResult {
  const results = told.map(({ result }) => result);
  return results.reduce((least, each) => (weight(each) < weight(least) ? each : least));
}

function weight({ limited, remaining }: RateLimitResult): number {
  return limited ? -1 : remaining;
}

/** Seconds until more may be spent: after a refusal until the same call passes, otherwise until all is there again. */
function untilMore({ limited, resetAfterMs, retryAfterMs }: RateLimitResult): number {
  return seconds(limited && Number.isFinite(retryAfterMs) ? retryAfterMs : resetAfterMs);
}

function window({ periodMs }: Quota): number {
  return Math.max(1, seconds(periodMs));
}

function seconds(ms: number): number {
  return Math.min(Math.ceil(ms / 1_000), LARGEST_INTEGER);
}

/** Integers of structured fields have 15 digits at most (RFC 9651). */
const LARGEST_INTEGER = 999_999_999_999_999;

function integer(value: number): string {
  return String(Math.min(value, LARGEST_INTEGER));
}
