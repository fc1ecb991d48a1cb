import type { Booking, Decision, Limiter } from "../algorithms/limiter.js";
import { complaint } from "../argument.js";
import { isStoreError, StoreError, type StoreFailure } from "../errors.js";
import { publishStoreError } from "../observation.js";
import type { SemaphoreRequest, SemaphoreRules } from "../semaphore/state.js";
import type { Answer, Arrangement, Store } from "./store.js";

/** What a call gets while the store is unavailable: its error, a pass, a refusal, or the answer of another store. */
export type OnUnavailable = "throw" | "allow" | "deny" | Store;

/** How soon a call that was denied may try again. */
const RETRY_AFTER_MS = 1_000;

const OUTAGE = Symbol("outage");

/** The error of a store that can't be reached, or not now: the only one that `onUnavailable` has a say in. */
export function outage(store: string, operation: string, problem: string, reason: StoreFailure): StoreError {
  return Object.defineProperty(new StoreError(store, operation, problem, reason), OUTAGE, { value: true });
}

/** Whether an error is one of `outage`. */
export function isOutage(error: unknown): boolean {
  return typeof error === "object" && error !== null && OUTAGE in error;
}

/** Answers in place of a store that is unavailable. */
export class FailurePolicy {
  readonly #policy: OnUnavailable;
  /** @throws TypeError */
  constructor(policy: unknown) {
    const store = policy as Partial<Store> | null;
    if (
      policy !== "throw" &&
      policy !== "allow" &&
      policy !== "deny" &&
      typeof store?.decide !== "function"
    ) {
      throw new TypeError(complaint("onUnavailable", '"throw", "allow", "deny" or a store', policy));
    }
    this.#policy = policy as OnUnavailable;
  }

  /** The answer to a call that met with an error; arguments as those of `Store.decide`. @throws the error, if nothing helps. */
  async answer(
    error: unknown,
    limiter: Limiter,
    key: string,
    cost: number,
    maxWaitMs: number,
    booking: Booking | undefined,
  ): Promise<Answer> {
    const policy = this.#policyFor(error);
    if (policy === "throw") throw error;
    // A place that the store booked is none that another store could give back.
    if (typeof policy !== "object" || booking !== undefined) return without(policy, limiter, cost);
    return { by: policy, ...(await policy.decide(limiter, key, cost, maxWaitMs)), source: "fallback" };
  }

  /** The answer to a request on a semaphore; only those who ask for permits get one. @throws the error, if nothing helps. */
  async arrange(
    error: unknown,
    key: string,
    rules: SemaphoreRules,
    request: SemaphoreRequest | undefined,
  ): Promise<Arrangement> {
    const policy = this.#policyFor(error);
    if (policy === "throw" || request?.act === "renew" || request?.act === "release") throw error;
    if (typeof policy === "object") {
      if (policy.arrange === undefined) throw error;
      return { by: policy, ...(await policy.arrange(key, rules, request && newsBy(policy, request))) };
    }
    const held = policy === "allow" && request !== undefined && request.permits <= rules.capacity;
    if (held)
      return {
        by: "policy",
        status: "held",
        token: 0,
        leftMs: Number.POSITIVE_INFINITY,
        inUse: 0,
        waiting: 0,
      };
    const inUse = policy === "deny" ? rules.capacity : 0;
    return { by: "policy", status: "none", token: 0, leftMs: RETRY_AFTER_MS, inUse, waiting: 0 };
  }

  /** Runs `ask`, a reset, or the reset of the other store. */
  async reset(limiter: Limiter, key: string, ask: () => Promise<unknown>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      const policy = this.#policyFor(error);
      if (policy === "throw") throw error;
      if (typeof policy === "object") await policy.reset(limiter, key);
    }
  }

  /** What to do about an error, of which whoever listens is told before a policy hides it. */
  #policyFor(error: unknown): OnUnavailable {
    if (isStoreError(error)) publishStoreError(error);
    return isOutage(error) ? this.#policy : "throw";
  }
}

/** The same request, whose news say who they are from. */
function newsBy(store: Store, request: SemaphoreRequest): SemaphoreRequest {
  const { onNews } = request;
  if (onNews === undefined) return request;
  return {
    ...request,
    onNews: (news) => onNews(news === undefined || news instanceof Error ? news : { by: store, ...news }),
  };
}

function without(policy: OnUnavailable, limiter: Limiter, cost: number): Decision {
  // As a fresh key would: what can never pass is refused all the same, or an impossible cost were a way around the limit.
  const { decision } = limiter.decide(undefined, 0, cost, 0);
  if (policy !== "deny") return { ...decision, source: "policy" };
  const retryAfterMs = decision.limited ? decision.retryAfterMs : RETRY_AFTER_MS;
  const denied = { limited: cost > 0, remaining: 0, resetAfterMs: RETRY_AFTER_MS, retryAfterMs };
  return { ...decision, ...denied, source: "policy" };
}
