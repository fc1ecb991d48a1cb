import type { Booking, Decision, Limiter } from "../algorithms/limiter.js";
import { complaint } from "../argument.js";
import { StoreError } from "../errors.js";
import type { Store } from "./store.js";

/** What a call gets while the store is unavailable: its error, a pass, a refusal, or the answer of another store. */
export type OnUnavailable = "throw" | "allow" | "deny" | Store;

/** How soon a call that was denied may try again. */
const RETRY_AFTER_MS = 1_000;

/** The store can't be reached, or not now; the only error that `onUnavailable` has a say in. */
export class Unavailable extends StoreError {}

/** Answers in place of a store that is unavailable. */
export class FailurePolicy {
  readonly #policy: OnUnavailable;
  /** Places that the fallback booked, which only it can give back. */
  readonly #booked = new WeakSet<Booking>();

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

  /** The answer of `ask` or, while the store is unavailable, that of the policy; arguments as those of `Store.decide`. */
  async decide(
    limiter: Limiter,
    key: string,
    cost: number,
    maxWaitMs: number,
    booking: Booking | undefined,
    ask: () => Promise<Decision>,
  ): Promise<Decision> {
    const policy = this.#policy;
    if (booking !== undefined && typeof policy === "object" && this.#booked.has(booking)) {
      return policy.decide(limiter, key, cost, maxWaitMs, booking);
    }
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Unavailable) || policy === "throw") throw error;
      if (typeof policy !== "object") return without(policy, limiter, cost);
      const decision = await policy.decide(limiter, key, cost, maxWaitMs, booking);
      if (decision.booking) this.#booked.add(decision.booking);
      return { ...decision, source: "fallback" };
    }
  }

  /** Like `decide`, for `Store.reset`. */
  async reset(limiter: Limiter, key: string, ask: () => Promise<unknown>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof Unavailable) || this.#policy === "throw") throw error;
      if (typeof this.#policy === "object") await this.#policy.reset(limiter, key);
    }
  }
}

function without(policy: "allow" | "deny", limiter: Limiter, cost: number): Decision {
  // As a fresh key would: what can never pass is refused all the same, or an impossible cost were a way around the limit.
  const { decision } = limiter.decide(undefined, 0, cost, 0);
  if (policy === "allow" || decision.limited) return { ...decision, source: "policy" };
  const wait = { resetAfterMs: RETRY_AFTER_MS, retryAfterMs: RETRY_AFTER_MS };
  return { ...decision, limited: cost > 0, remaining: 0, ...wait, source: "policy" };
}
