import type { StoreError, StoreFailure } from "./errors.js";
import type { Quota } from "./quota.js";
import { type RateLimitResult, resultOf } from "./result.js";
import type { Answer } from "./stores/store.js";

/** Hears of a decision of a limiter; nobody waits for it, and what it throws is ignored. */
export type Listener = (key: string, result: RateLimitResult) => unknown;

/** Whose calls an event is about. */
export interface Observed {
  /** The name of the algorithm, e.g. `"token-bucket"`. */
  readonly algorithm: string;
  /** The quotas of the limiter. */
  readonly quotas: readonly Quota[];
  /** The kind of store, e.g. `"redis"`. */
  readonly store: string;
}

/** What is published on the diagnostics channel `throttled:limit` of every call: what the store decided, or why it did not. */
export interface LimitEvent extends Observed {
  /** Who spends. */
  readonly key: string;
  /** Units that the call spends if it may. */
  readonly cost: number;
  /** Milliseconds, with fractions, until the store had answered. */
  readonly durationMs: number;
  /** The decision, if there is one; one that has to be waited for is allowed. */
  readonly result?: RateLimitResult;
  /** What went wrong otherwise. */
  readonly error?: unknown;
}

/** What is published on the diagnostics channel `throttled:wait` when a call ends that had to wait for its turn. */
export interface WaitEvent extends Observed {
  /** Who spends. */
  readonly key: string;
  /** Units that the call spends. */
  readonly cost: number;
  /** Milliseconds, with fractions, that it waited. */
  readonly waitedMs: number;
  /** Why it went away before its turn, if it did: the reason of its signal. */
  readonly error?: unknown;
}

/** What is published on the diagnostics channel `throttled:store-error` of every call that a store failed to answer. */
export interface StoreErrorEvent {
  /** The kind of store, e.g. `"redis"`. */
  readonly store: string;
  /** What was asked of it, e.g. `"decide"`. */
  readonly operation: string;
  /** What kind of failure it is. */
  readonly reason: StoreFailure;
  /** The error as the caller gets it, unless a policy or another store answers instead. */
  readonly error: StoreError;
}

/** A channel of `node:diagnostics_channel`. */
interface Channel {
  readonly hasSubscribers: boolean;
  publish(event: unknown): void;
}

// Not imported, as the core also runs where Node's modules are missing.
const diagnostics = globalThis.process?.getBuiltinModule?.("node:diagnostics_channel");
const SILENT: Channel = { hasSubscribers: false, publish: () => {} };

const limits: Channel = diagnostics?.channel("throttled:limit") ?? SILENT;
const waits: Channel = diagnostics?.channel("throttled:wait") ?? SILENT;
const storeErrors: Channel = diagnostics?.channel("throttled:store-error") ?? SILENT;

/** Tells those who listen what becomes of the calls of a limiter; they can neither break nor repeat a decision. */
export class Observer {
  readonly #observed: Observed;
  readonly #onAllowed: Listener | undefined;
  readonly #onLimited: Listener | undefined;
  readonly #hasListeners: boolean;

  constructor(observed: Observed, onAllowed: Listener | undefined, onLimited: Listener | undefined) {
    this.#observed = observed;
    this.#onAllowed = onAllowed;
    this.#onLimited = onLimited;
    this.#hasListeners = onAllowed !== undefined || onLimited !== undefined;
  }

  /** Whether anybody wants to know of decisions. */
  get isHeard(): boolean {
    return this.#hasListeners || limits.hasSubscribers;
  }

  /** What `ask` answers to calls, after those who listen were told of each. */
  watch<A extends Answer | readonly Answer[]>(
    keys: readonly string[],
    costs: readonly number[],
    ask: () => A | Promise<A>,
  ): A | Promise<A> {
    const start = performance.now();
    const tell = (answer: A): A => {
      const durationMs = performance.now() - start;
      for (const [i, each] of [answer].flat().entries()) {
        const cost = costs[i]!;
        this.#tell({ key: keys[i]!, cost, durationMs, result: resultOf(each as Answer, cost) });
      }
      return answer;
    };
    const fail = (error: unknown): never => {
      const durationMs = performance.now() - start;
      for (const [i, key] of keys.entries()) this.#tell({ key, cost: costs[i]!, durationMs, error });
      throw error;
    };
    let answer: A | Promise<A>;
    try {
      answer = ask();
    } catch (error) {
      return fail(error);
    }
    return "then" in answer ? answer.then(tell, fail) : tell(answer);
  }

  /** What a wait that begins now comes to, after those who listen were told. */
  watchWait<T>(key: string, cost: number, waited: Promise<T>): Promise<T> {
    if (!waits.hasSubscribers) return waited;
    const start = performance.now();
    const tell = (end: Pick<WaitEvent, "error">): void => {
      const waitedMs = performance.now() - start;
      waits.publish({ ...this.#observed, key, cost, waitedMs, ...end } satisfies WaitEvent);
    };
    return waited.then(
      (result) => {
        tell({});
        return result;
      },
      (error) => {
        tell({ error });
        throw error;
      },
    );
  }

  #tell(told: Omit<LimitEvent, keyof Observed>): void {
    const { key, result } = told;
    if (limits.hasSubscribers) limits.publish({ ...this.#observed, ...told } satisfies LimitEvent);
    const listener = result?.limited ? this.#onLimited : this.#onAllowed;
    if (listener !== undefined && result !== undefined) ignoreFailure(() => listener(key, result));
  }
}

/** Tells those who listen that a store failed to answer. */
export function publishStoreError(error: StoreError): void {
  if (!storeErrors.hasSubscribers) return;
  const { store, operation, reason } = error;
  storeErrors.publish({ store, operation, reason, error } satisfies StoreErrorEvent);
}

/** Calls somebody whose failure, now or later, must not change what was decided. */
export async function ignoreFailure(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch {
    // Whoever listens has to look after its own errors.
  }
}
