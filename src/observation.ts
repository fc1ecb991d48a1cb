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

  /** What `ask` answers to a call, after those who listen were told. */
  watch(key: string, cost: number, ask: () => Answer | Promise<Answer>): Answer | Promise<Answer> {
    return timed(ask, (durationMs, error, answer) => this.#tell(key, cost, durationMs, error, answer));
  }

  /** What `ask` answers to many calls. */
  watchMany(
    keys: readonly string[],
    costs: readonly number[],
    ask: () => Promise<Answer[]>,
  ): Answer[] | Promise<Answer[]> {
    return timed(ask, (durationMs, error, answers) => {
      for (let i = 0; i < keys.length; i++) this.#tell(keys[i]!, costs[i]!, durationMs, error, answers?.[i]);
    });
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

  #tell(key: string, cost: number, durationMs: number, error: unknown, answer: Answer | undefined): void {
    const result = answer && resultOf(answer, cost);
    if (limits.hasSubscribers) {
      // Written out, as to spread objects takes many times as long.
      const { algorithm, quotas, store } = this.#observed;
      const event: LimitEvent = result
        ? { key, cost, algorithm, quotas, store, durationMs, result }
        : { key, cost, algorithm, quotas, store, durationMs, error };
      limits.publish(event);
    }
    if (result === undefined) return;
    const listener = result.limited ? this.#onLimited : this.#onAllowed;
    if (listener !== undefined) ignoreFailure(() => listener(key, result));
  }
}

/** What `ask` answers, at once or later, after `tell` heard how long that took and what came of it. */
function timed<A extends object>(
  ask: () => A | Promise<A>,
  tell: (durationMs: number, error: unknown, answer: A | undefined) => void,
): A | Promise<A> {
  const start = performance.now();
  const answered = (answer: A): A => {
    tell(performance.now() - start, undefined, answer);
    return answer;
  };
  const failed = (error: unknown): never => {
    tell(performance.now() - start, error, undefined);
    throw error;
  };
  let answer: A | Promise<A>;
  try {
    answer = ask();
  } catch (error) {
    return failed(error);
  }
  return "then" in answer ? answer.then(answered, failed) : answered(answer);
}

/** Tells those who listen that a store failed to answer. */
export function publishStoreError(error: StoreError): void {
  if (!storeErrors.hasSubscribers) return;
  const { store, operation, reason } = error;
  storeErrors.publish({ store, operation, reason, error } satisfies StoreErrorEvent);
}

/** Calls somebody whose failure, now or later, must not change what was decided. */
export function ignoreFailure(act: () => unknown): void {
  try {
    const outcome = act() as Partial<Promise<unknown>> | undefined | null;
    outcome?.then?.(undefined, () => {});
  } catch {
    // Whoever listens has to look after its own errors.
  }
}
