import { checkSignal, unlessAborted } from "../abort.js";
import type { AlgorithmType } from "../algorithms/algorithm.js";
import type { AlgorithmName } from "../algorithms/limiter.js";
import { complaint, knownOptions, wholeNumber } from "../argument.js";
import { type Duration, toMs } from "../duration.js";
import { checkKey } from "../key.js";
import type { QuotaInput } from "../quota.js";
import type { Store } from "../stores/store.js";
import { Throttled } from "../throttled.js";
import { Attempts } from "./attempts.js";
import { keysUnder } from "./keys-under.js";
import { OutgoingRequest } from "./outgoing-request.js";
import type { Answered } from "./retry-hints.js";

/** What is needed of a `fetch`, so that types need no library that declares one. */
// biome-ignore lint/suspicious/noExplicitAny: arguments are those of the function, whatever it is.
export type FetchLike = (...args: any[]) => Promise<Answered & { readonly body?: unknown }>;

/** The `fetch` of the platform, as far as types of it are at hand. */
export type PlatformFetch = typeof globalThis extends { fetch: infer F extends FetchLike } ? F : FetchLike;

/** The `URL` of the platform, as far as types of it are at hand. */
export type PlatformUrl = typeof globalThis extends { URL: { prototype: infer U } }
  ? U
  : { readonly href: string; readonly origin: string; readonly hostname: string; readonly pathname: string };

/** An option that is a value, or computed from where a call goes and from its arguments. */
export type PerFetch<F extends FetchLike, V> =
  | V
  | ((url: PlatformUrl, ...args: Parameters<F>) => V | Promise<V>);

/** Options of `throttledFetch`, where `F` is the type of the function that it calls. */
export interface ThrottledFetchOptions<F extends FetchLike = PlatformFetch> {
  /** One quota or several, `"60/m"` by default. */
  readonly quota?: QuotaInput | readonly QuotaInput[] | undefined;
  /** The algorithm, `"token-bucket"` by default. */
  readonly using?: AlgorithmName | AlgorithmType | undefined;
  /** Where keys are kept; by default one `MemoryStore` that the whole process shares. */
  readonly store?: Store | undefined;
  /** Put before each key, with a colon: calls under equal keys on one store share what they learn, and equal quotas. */
  readonly prefix?: string | undefined;
  /** What is limited; by default the origin that a call goes to. */
  readonly key?: PerFetch<F, string> | undefined;
  /** Units that an attempt spends, 0 or more; 1 by default. */
  readonly cost?: PerFetch<F, number> | undefined;
  /** How long after the call its last attempt may begin, `"30s"` by default; 0 never waits. */
  readonly timeout?: Duration | undefined;
  /** How often a call is made again at most that is refused, 2 by default. */
  readonly retries?: number | undefined;
  /** What sends requests; by default the `fetch` of the platform. */
  readonly fetch?: F | undefined;
}

const OPTIONS = ["quota", "using", "store", "prefix", "key", "cost", "timeout", "retries", "fetch"];

/**
 * A `fetch` that waits for its turn, keeps to what the far side says of its limits, and tries again what was refused. It rejects
 * as `fetch` does, and with a LimitedError if its turn does not come in time.
 * @throws TypeError, RangeError naming the option that is wrong.
 */
export function throttledFetch<F extends FetchLike = PlatformFetch>(
  options: ThrottledFetchOptions<F> = {},
): F {
  checkOptions(options);
  const { quota, using, store, timeout = "30s", retries = 2, fetch } = options;
  const keyOf = keysUnder(options.prefix);
  const throttle = new Throttled<Store>({ quota, using, store });
  const timeoutMs = toMs("timeout", timeout);

  async function throttled(...args: Parameters<F>): Promise<unknown> {
    const request = new OutgoingRequest(args[0], args[1]);
    const signal = checkSignal(request.signal);
    const { name, cost } = await spendingOf(options, request, args);
    const attempts = new Attempts({ throttle, key: keyOf(name), cost, timeoutMs, signal });
    const send = fetch ?? (globalThis as { fetch?: FetchLike }).fetch;
    if (typeof send !== "function") throw new TypeError(complaint("fetch", "a function", send));
    for (let attempt = 0; ; attempt++) {
      await attempts.turn();
      const response = await send(...args);
      const waitMs = await attempts.learn(response, attempt);
      if (waitMs === undefined || attempt >= retries || !request.isRepeatable) return response;
      void discard(response.body);
      await attempts.wait(waitMs);
    }
  }
  return throttled as unknown as F;
}

function checkOptions<F extends FetchLike>(options: ThrottledFetchOptions<F>): void {
  knownOptions("options", options, OPTIONS);
  const { key, cost, retries, fetch } = options;
  if (typeof key !== "function" && key !== undefined) checkKey(key);
  if (typeof cost !== "function" && cost !== undefined) wholeNumber("cost", cost, 0);
  if (retries !== undefined) wholeNumber("retries", retries, 0);
  if (fetch !== undefined && typeof fetch !== "function")
    throw new TypeError(complaint("fetch", "a function", fetch));
}

/** Who spends how much. Rejects with the reason of the signal. */
async function spendingOf<F extends FetchLike>(
  { key, cost }: ThrottledFetchOptions<F>,
  request: OutgoingRequest,
  args: Parameters<F>,
): Promise<{ name: string; cost: number | undefined }> {
  const { signal } = request;
  if (signal?.aborted) throw signal.reason;
  const resolve = <V>(option: (url: PlatformUrl, ...args: Parameters<F>) => V | Promise<V>): Promise<V> =>
    unlessAborted(option(request.url, ...args), signal);
  const name = typeof key === "function" ? await resolve(key) : (key ?? request.url.origin);
  const units = typeof cost === "function" ? await resolve(cost) : cost;
  return { name, cost: units };
}

/** Lets go of an answer that nobody reads, so that its connection is free. */
async function discard(body: unknown): Promise<void> {
  try {
    await (body as { cancel?(): Promise<unknown> } | null)?.cancel?.();
  } catch {
    // Then there was nothing to let go of.
  }
}
