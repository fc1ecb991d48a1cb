import type { AlgorithmType } from "../algorithms/algorithm.js";
import type { AlgorithmName } from "../algorithms/limiter.js";
import { complaint, functionOrNothing, knownOptions, wholeNumber } from "../argument.js";
import { isStoreError } from "../errors.js";
import { ignoreFailure } from "../observation.js";
import type { QuotaInput } from "../quota.js";
import type { RateLimitResult } from "../result.js";
import type { Store, SyncStore } from "../stores/store.js";
import { Throttled } from "../throttled.js";
import { clientAddressBehind, ipKey, type TrustProxy } from "./ip-key.js";
import { keysUnder } from "./keys-under.js";
import {
  type Header,
  type HeaderVersion,
  HeaderWriter,
  policyName,
  retryAfter,
  type Told,
} from "./rate-limit-headers.js";

type Awaitable<T> = T | Promise<T>;

/** One quota or several. */
export type Quotas = QuotaInput | readonly QuotaInput[];

/** Options of every web adapter, where `R` is a request of the framework. */
export interface ThrottleOptions<R> {
  /** One quota or several, or those of a request; `"60/m"` by default. No quota, from the function, does not limit the request. */
  readonly quota?: Quotas | ((request: R) => Awaitable<Quotas | undefined>) | undefined;
  /** The algorithm, `"token-bucket"` by default. */
  readonly using?: AlgorithmName | AlgorithmType | undefined;
  /** Where keys are kept; by default one `MemoryStore` that the whole process shares. */
  readonly store?: Store | undefined;
  /** Put before each key, with a colon: limiters of equal quotas on one store share their keys unless it differs. */
  readonly prefix?: string | undefined;
  /** Who spends; by default the client's address through `ipKey`. */
  readonly key?: ((request: R) => Awaitable<string>) | undefined;
  /** Units that a request spends, 0 or more; 1 by default. */
  readonly cost?: number | ((request: R) => Awaitable<number>) | undefined;
  /** Whether to let a request pass without asking; by default none. */
  readonly skip?: ((request: R) => Awaitable<boolean>) | undefined;
  /** How answers tell clients their limits, `"draft-10"` by default; `false` leaves only `Retry-After` of a refusal. */
  readonly headers?: HeaderVersion | false | undefined;
  /** The status of a refusal, 429 by default. */
  readonly statusCode?: number | undefined;
  /** The body of a refusal: text, or anything else as JSON, or what a function makes of it; by default a problem of RFC 9457. */
  readonly message?:
    | string
    | object
    | ((request: R, result: RateLimitResult) => Awaitable<string | object | undefined>)
    | undefined;
  /** Hears of each refusal; nobody waits for it, and what it throws is ignored. */
  readonly onLimited?: ((request: R, result: RateLimitResult) => unknown) | undefined;
  /** Whether a request whose answer has this status gets its cost back; by default none does. */
  readonly refundOn?: ((status: number) => boolean) | undefined;
  /** Whose `X-Forwarded-For` to believe; nobody's by default. */
  readonly trustProxy?: TrustProxy | undefined;
}

const OPTIONS = [
  "quota",
  "using",
  "store",
  "prefix",
  "key",
  "cost",
  "skip",
  "headers",
  "statusCode",
  "message",
  "onLimited",
  "refundOn",
  "trustProxy",
];

/** Where a request came from. */
export interface Origin {
  /** The address at the other end of the connection. */
  readonly remoteAddress: string | undefined;
  /** The header `X-Forwarded-For`. */
  readonly forwardedFor: string | undefined;
}

/** An answer in place of the application's. */
export interface Refusal {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What an adapter has to do for a request. */
export interface Verdict {
  /** Headers to set; they replace those of limiters that were asked about this request before. */
  readonly headers: readonly Header[];
  /** The answer to send, if the request may not pass. */
  readonly refusal?: Refusal;
  /** To be called with the status of the answer once it is sent, if that matters. */
  readonly onAnswered?: (status: number) => void;
}

/** Limiters by quota at most: a function that makes up quotas must not pile them up. */
const MOST_LIMITERS = 1_000;

/** Where a request keeps all that limiters said so far about it, so that stacked ones share their headers. */
const TOLD = Symbol("throttled");

interface Asked {
  [TOLD]?: readonly Told[];
}

/** What all web adapters do: from a request to the answer of the limiter in terms of HTTP. */
export class Gate<R extends object> {
  readonly #options: ThrottleOptions<R>;
  readonly #keyOf: (name: unknown) => string;
  readonly #originOf: (request: R) => Origin;
  readonly #clientAddress: ReturnType<typeof clientAddressBehind>;
  readonly #headers: HeaderWriter | undefined;
  readonly #statusCode: number;
  readonly #limiter: Throttled<Store>;
  /** Those of quotas that a function answered, by their texts. */
  readonly #limiters = new Map<string, Throttled<Store>>();

  /** @throws TypeError, RangeError naming the option that is wrong. */
  constructor(options: ThrottleOptions<R>, originOf: (request: R) => Origin) {
    knownOptions("options", options, OPTIONS);
    const { quota, cost, headers = "draft-10", statusCode = 429, trustProxy = 0 } = options;
    for (const name of ["key", "skip", "onLimited", "refundOn"] as const)
      functionOrNothing(name, options[name]);
    if (typeof cost !== "function" && cost !== undefined) wholeNumber("cost", cost, 0);
    if (!Number.isInteger(statusCode) || statusCode < 400 || statusCode > 599) {
      throw new RangeError(complaint("statusCode", "a status from 400 to 599", statusCode));
    }
    this.#options = options;
    this.#keyOf = keysUnder(options.prefix);
    this.#originOf = originOf;
    this.#headers = headers === false ? undefined : new HeaderWriter(headers);
    this.#statusCode = statusCode;
    this.#clientAddress = clientAddressBehind(trustProxy);
    // Also where each request has a quota of its own: whatever else is wrong should show at once.
    this.#limiter = this.#limiterOf(typeof quota === "function" ? undefined : quota);
  }

  /** Rejects with what a function of the options throws, or with an error for what it answers. */
  async check(request: R): Promise<Verdict> {
    const { quota, key, cost = 1, skip } = this.#options;
    if (skip !== undefined && (await skip(request))) return PASS;
    const limiter = typeof quota === "function" ? await this.#limiterFor(quota, request) : this.#limiter;
    if (limiter === undefined) return PASS;
    const given = key === undefined ? this.#addressKey(request) : key(request);
    const fullKey = this.#keyOf(typeof given === "string" ? given : await given);
    const units = typeof cost === "function" ? await cost(request) : cost;
    let result: RateLimitResult;
    try {
      // A promise for what is there already would be a good part of what all this costs.
      result = isSync(limiter) ? limiter.limitSync(fullKey, units) : await limiter.limit(fullKey, units);
    } catch (error) {
      if (isStoreError(error)) return UNAVAILABLE;
      throw error;
    }
    const { quotas } = limiter;
    const headers = this.#headersFor(request, { quotas, result });
    if (result.limited) return { headers, refusal: await this.#refusal(request, result, quotas) };
    const { refundOn } = this.#options;
    // What another store or a policy let pass was not charged here.
    if (refundOn === undefined || result.source !== "store") return { headers };
    const settle = async (status: number) => refundOn(status) && limiter.refund(fullKey, units);
    // A refund that fails errs on the strict side.
    return { headers, onAnswered: (status) => ignoreFailure(() => settle(status)) };
  }

  async #limiterFor(
    quota: (request: R) => Awaitable<Quotas | undefined>,
    request: R,
  ): Promise<Throttled<Store> | undefined> {
    const quotas = await quota(request);
    if (quotas === undefined) return undefined;
    const text = JSON.stringify(quotas);
    let limiter = this.#limiters.get(text);
    if (limiter === undefined) {
      limiter = this.#limiterOf(quotas);
      if (this.#limiters.size >= MOST_LIMITERS) this.#limiters.clear();
      this.#limiters.set(text, limiter);
    }
    return limiter;
  }

  #limiterOf(quota: Quotas | undefined): Throttled<Store> {
    const { using, store } = this.#options;
    return new Throttled<Store>({ using, store, quota });
  }

  #headersFor(request: R, told: Told): readonly Header[] {
    if (this.#headers === undefined) return told.result.limited ? retryAfter(told.result.retryAfterMs) : [];
    const asked: Asked = request;
    asked[TOLD] = asked[TOLD] === undefined ? [told] : [...asked[TOLD], told];
    return this.#headers.write(asked[TOLD]);
  }

  async #refusal(request: R, result: RateLimitResult, quotas: Throttled["quotas"]): Promise<Refusal> {
    const status = this.#statusCode;
    const { message, onLimited } = this.#options;
    if (onLimited) ignoreFailure(() => onLimited(request, result));
    const said = typeof message === "function" ? await message(request, result) : message;
    if (typeof said === "string") return { status, contentType: "text/plain; charset=utf-8", body: said };
    if (said !== undefined) {
      return { status, contentType: "application/json; charset=utf-8", body: JSON.stringify(said) };
    }
    const seconds = retryAfter(result.retryAfterMs)[0]?.[1];
    return problem(status, {
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      title: "Quota exceeded",
      detail: seconds === undefined ? "This request never passes." : `Try again in ${seconds} s.`,
      "violated-policies": [policyName(quotas[result.quotaIndex]!)],
    });
  }

  /** Requests without an address, as over a Unix socket, share one key. */
  #addressKey(request: R): string {
    const { remoteAddress, forwardedFor } = this.#originOf(request);
    const address = this.#clientAddress(remoteAddress, forwardedFor);
    return address === undefined ? "unknown" : ipKey(address);
  }
}

function isSync(limiter: Throttled<Store>): limiter is Throttled<SyncStore> {
  return limiter.store.sync;
}

function problem(status: number, { type, title, ...rest }: Readonly<Record<string, unknown>>): Refusal {
  const body = JSON.stringify({ type, title, status, ...rest });
  return { status, contentType: "application/problem+json", body };
}

const PASS: Verdict = { headers: [] };

/** The store is unavailable, and nothing says what to do then: neither a pass nor a refusal. */
const UNAVAILABLE: Verdict = {
  headers: retryAfter(1_000),
  refusal: problem(503, {
    type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
    title: "Temporarily reduced capacity",
    detail: "Try again in 1 s.",
  }),
};
