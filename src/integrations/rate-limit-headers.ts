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

/** What headers are called. */
export type HeaderName =
  | "RateLimit-Policy"
  | "RateLimit"
  | "X-RateLimit-Limit"
  | "X-RateLimit-Remaining"
  | "X-RateLimit-Reset"
  | "Retry-After";

/** A header by its name. */
export type Header = readonly [name: HeaderName, value: string];

/**
 * The headers that tell a client of one or several decisions about its request, `Retry-After` among them if one of them refused
 * it and will ever pass. Times are whole seconds, rounded up.
 * @throws TypeError for an unknown version.
 */
export function rateLimitHeaders(
  told: Told | readonly Told[],
  version: HeaderVersion = "draft-10",
): Header[] {
  return new HeaderWriter(version).write([told].flat());
}

/** Writes the headers of one version again and again: what it says of quotas is worked out once. */
export class HeaderWriter {
  readonly #version: Version;
  readonly #policies = new WeakMap<readonly Quota[], string>();

  /** @throws TypeError for an unknown version. */
  constructor(version: HeaderVersion) {
    if (!Object.hasOwn(VERSIONS, version)) {
      throw new TypeError(complaint("headers", `one of ${Object.keys(VERSIONS).join(", ")}`, version));
    }
    this.#version = VERSIONS[version];
  }

  /** What `rateLimitHeaders` says of these decisions. */
  write(told: readonly Told[]): Header[] {
    if (told.length === 0) return [];
    const { policy, state } = this.#version;
    const headers: Header[] = policy ? [["RateLimit-Policy", this.#policiesOf(told, policy)]] : [];
    headers.push(...state(told));
    if (told.some(isRefusal)) headers.push(...retryAfter(longestWait(told)));
    return headers;
  }

  #policiesOf(told: readonly Told[], policy: (quota: Quota) => string): string {
    if (told.length > 1) return policies(told, policy);
    const { quotas } = told[0]!;
    let known = this.#policies.get(quotas);
    if (known === undefined) {
      known = policies(told, policy);
      this.#policies.set(quotas, known);
    }
    return known;
  }
}

/** `Retry-After`, unless that is never. */
export function retryAfter(ms: number): Header[] {
  return Number.isFinite(ms) ? [["Retry-After", String(Math.max(1, seconds(ms)))]] : [];
}

/** What a quota is called in headers, e.g. `"100-in-60s"`. */
export function policyName({ limit, periodMs }: Quota): string {
  return periodMs % 1_000 === 0 ? `${limit}-in-${periodMs / 1_000}s` : `${limit}-in-${periodMs}ms`;
}

interface Version {
  /** What `RateLimit-Policy` says of a quota. */
  readonly policy?: (quota: Quota) => string;
  /** The headers that say what is left. */
  readonly state: (told: readonly Told[]) => Header[];
}

const VERSIONS: Readonly<Record<HeaderVersion, Version>> = {
  "draft-10": {
    policy: (quota) => `"${policyName(quota)}";q=${integer(quota.limit)};w=${window(quota)}`,
    state: (told) => [["RateLimit", statesByPolicy(told)]],
  },
  "draft-7": {
    policy: (quota) => `${integer(quota.limit)};w=${window(quota)}`,
    state: (told) => {
      const { result } = scarcest(told);
      const [limit, remaining] = [integer(result.limit), integer(result.remaining)];
      return [["RateLimit", `limit=${limit}, remaining=${remaining}, reset=${untilMore(result)}`]];
    },
  },
  legacy: {
    state: (told) => {
      const { result } = scarcest(told);
      return [
        ["X-RateLimit-Limit", integer(result.limit)],
        ["X-RateLimit-Remaining", integer(result.remaining)],
        ["X-RateLimit-Reset", integer(Math.ceil(Date.now() / 1_000) + untilMore(result))],
      ];
    },
  },
};

/** Each policy once: limiters of equal quotas share theirs. */
function policies(told: readonly Told[], policy: (quota: Quota) => string): string {
  return [...new Set(told.flatMap(({ quotas }) => quotas.map(policy)))].join(", ");
}

/** Of each policy the decision that matters most. */
function statesByPolicy(told: readonly Told[]): string {
  if (told.length === 1) return stateOfPolicy(told[0]!);
  const all = new Map<string, Told[]>();
  for (const each of told) all.set(nameOf(each), [...(all.get(nameOf(each)) ?? []), each]);
  return [...all.values()].map((same) => stateOfPolicy(scarcest(same))).join(", ");
}

function stateOfPolicy(told: Told): string {
  const { result } = told;
  return `"${nameOf(told)}";r=${integer(result.remaining)};t=${untilMore(result)}`;
}

/** What the policy is called that a decision speaks of. */
function nameOf({ quotas, result }: Told): string {
  return policyName(quotas[result.quotaIndex]!);
}

/** The decision that matters most to the client: a refusal, or the one with least left. */
function scarcest(told: readonly Told[]): Told {
  return told.reduce((least, each) => (weight(each) < weight(least) ? each : least));
}

function weight({ result }: Told): number {
  return result.limited ? -1 : result.remaining;
}

function isRefusal({ result }: Told): boolean {
  return result.limited;
}

function longestWait(told: readonly Told[]): number {
  return Math.max(...told.map(({ result }) => (result.limited ? result.retryAfterMs : 0)));
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
