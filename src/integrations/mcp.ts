import type { AbortSignalLike } from "../abort.js";
import type { AlgorithmType } from "../algorithms/algorithm.js";
import type { AlgorithmName } from "../algorithms/limiter.js";
import { complaint, knownOptions, wholeNumber } from "../argument.js";
import type { Duration } from "../duration.js";
import { isStoreError } from "../errors.js";
import { checkKey } from "../key.js";
import type { QuotaInput } from "../quota.js";
import type { Store } from "../stores/store.js";
import { Throttled } from "../throttled.js";
import { keysUnder } from "./keys-under.js";

/** What a handler is told about its call, by version 1 and by version 2 of the SDK. */
export interface ToolContext {
  readonly sessionId?: string | undefined;
  readonly authInfo?: { readonly clientId?: string } | undefined;
  readonly http?: { readonly authInfo?: { readonly clientId?: string } | undefined } | undefined;
  readonly signal?: AbortSignalLike | undefined;
  readonly mcpReq?: { readonly signal?: AbortSignalLike | undefined } | undefined;
}

/** Options of `throttleTool`; `A` are the arguments of the handler. */
export interface ThrottleToolOptions<A extends readonly unknown[]> {
  /** One quota or several; `"60/m"` by default. */
  readonly quota?: QuotaInput | readonly QuotaInput[] | undefined;
  /** The algorithm, `"token-bucket"` by default. */
  readonly using?: AlgorithmName | AlgorithmType | undefined;
  /** Where keys are kept; by default one `MemoryStore` that the whole process shares. */
  readonly store?: Store | undefined;
  /** Put before each key: tools of equal quotas on one store share what a key may spend unless it differs. */
  readonly prefix?: string | undefined;
  /** Who spends: a value, or computed from the arguments; by default the client that logged in, or else the session. */
  readonly key?: string | ((...args: A) => string | Promise<string>) | undefined;
  /** Units that a call spends, a value or computed from the arguments; 1 by default. */
  readonly cost?: number | ((...args: A) => number | Promise<number>) | undefined;
  /** How long a call may wait for its turn, until it is cancelled; 0 by default. */
  readonly timeout?: Duration | undefined;
}

/** The same arguments, not to be guessed from what `key` and `cost` take of them. */
type Known<A extends readonly unknown[]> = [A] extends [infer B extends readonly unknown[]] ? B : never;

/** What a client gets in place of a tool's result. */
interface Refusal {
  readonly isError: true;
  readonly content: [{ readonly type: "text"; readonly text: string }];
  readonly _meta: { readonly retryAfterMs?: number };
}

/**
 * Wraps the handler of a tool of an MCP server: a call beyond the quota gets `{ isError: true, … }` with `_meta.retryAfterMs`,
 * and the handler does not run. Wrap once, outside of what is made for each request.
 * @throws TypeError, RangeError naming the option that is wrong.
 */
export function throttleTool<A extends readonly unknown[], R>(
  options: ThrottleToolOptions<Known<A>>,
  handler: (...args: A) => R | Promise<R>,
): (...args: A) => Promise<R> {
  knownOptions("options", options, ["quota", "using", "store", "prefix", "key", "cost", "timeout"]);
  if (typeof handler !== "function") throw new TypeError(complaint("handler", "a function", handler));
  const { quota, using, store, prefix, key, cost, timeout } = options;
  const keyOf = keysUnder(prefix);
  if (typeof key !== "function" && key !== undefined) checkKey(key);
  if (typeof cost !== "function" && cost !== undefined) wholeNumber("cost", cost, 0);
  const throttle = new Throttled<Store>({ using, quota, store, timeout });
  return async (...args) => {
    const given = args as unknown as Known<A>;
    const context = (args.at(-1) ?? {}) as ToolContext;
    const fullKey = keyOf(typeof key === "function" ? await key(...given) : (key ?? callerOf(context)));
    const units = typeof cost === "function" ? await cost(...given) : cost;
    const signal = context.mcpReq?.signal ?? context.signal;
    try {
      const { limited, retryAfterMs } = await throttle.limit(fullKey, { cost: units, signal });
      if (limited) return refusal("Rate limit exceeded.", retryAfterMs) as R;
    } catch (error) {
      if (!isStoreError(error)) throw error;
      return refusal("The rate limit can't be checked now.", 1_000) as R;
    }
    return await handler(...args);
  };
}

/** Clients choose their ids, at some servers, so none of them may look like a session. */
function callerOf({ http, authInfo, sessionId }: ToolContext): string {
  const clientId = http?.authInfo?.clientId ?? authInfo?.clientId;
  if (clientId !== undefined) return `client:${clientId}`;
  return sessionId === undefined ? "anonymous" : `session:${sessionId}`;
}

function refusal(problem: string, retryAfterMs: number): Refusal {
  const passes = Number.isFinite(retryAfterMs);
  const advice = passes
    ? `Retry after ${Math.max(1, Math.ceil(retryAfterMs / 1_000))} s.`
    : "This call can never pass.";
  const content = [{ type: "text", text: `${problem} ${advice}` }] as const;
  // JSON has no infinity, and timers take a huge number for none.
  return { isError: true, content: [...content], _meta: passes ? { retryAfterMs } : {} };
}
