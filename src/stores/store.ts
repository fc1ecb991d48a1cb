import type { Booking, Decision, Limiter } from "../algorithms/limiter.js";
import type { Clock } from "../clock.js";
import type {
  Arrangement as SemaphoreArrangement,
  SemaphoreRequest,
  SemaphoreRules,
} from "../semaphore/state.js";
import type { Entries } from "./entries.js";
import type { StoreStatus } from "./status.js";

/** The answer of a store. */
export interface Answer extends Decision {
  /** The store that decided if it is not the one that was asked; only it can give back what it charged. */
  readonly by?: Store;
}

/** The answer of a store about a semaphore. */
export interface Arrangement extends SemaphoreArrangement {
  /** Who answered if it was not the store itself: the policy for a store that is unavailable, or the store to fall back on. */
  readonly by?: "policy" | Store;
}

/** Where the state of keys lives. See `docs/stores.md` for a complete one, and `throttled/testing` for its tests. */
export interface Store {
  /** The kind of store in a word, e.g. `"memory"`; it is shown in errors. */
  readonly name: string;
  /** Whether `decide` answers at once instead of with a promise; only then do `limitSync` and its like work. */
  readonly sync: boolean;
  /** What time the store goes by; without it, or without `sleep`, waiting goes by real time. */
  readonly clock?: Clock;
  /**
   * Finds the record of a key, hands it to `limiter.decide` with the other arguments, and keeps what that says to write:
   * atomically, so that no other call on this key happens in between.
   */
  decide(
    limiter: Limiter,
    key: string,
    cost: number,
    maxWaitMs: number,
    booking?: Booking,
  ): Answer | Promise<Answer>;
  /** The answers to calls that do not wait, one for each key in turn, where a store can do better than to be asked for each. */
  decideMany?(
    limiter: Limiter,
    keys: readonly string[],
    costs: readonly number[],
  ): Answer[] | Promise<Answer[]>;
  /**
   * Hands a request, if there is one, to the `SemaphoreState` of a key, atomically; without it the store has no semaphores.
   * The request hears later what becomes of a place in line.
   */
  arrange?(
    key: string,
    rules: SemaphoreRules,
    request?: SemaphoreRequest,
  ): Arrangement | Promise<Arrangement>;
  /** Forgets a key of a limiter. */
  reset(limiter: Limiter, key: string): void | Promise<void>;
  /** What the store keeps for a `Storage` of that name; stores that answer at once need not, as theirs are kept in memory. */
  entries?(name: string): Entries;
  /** How the store is doing. It does not fail. */
  status?(): StoreStatus | Promise<StoreStatus>;
  /** Frees what the store holds; nothing is asked of it afterwards. */
  close?(): void | Promise<void>;
}

/** A store that answers at once. */
export interface SyncStore extends Store {
  readonly sync: true;
  decide(limiter: Limiter, key: string, cost: number, maxWaitMs: number, booking?: Booking): Answer;
  decideMany?(limiter: Limiter, keys: readonly string[], costs: readonly number[]): Answer[];
  arrange?(key: string, rules: SemaphoreRules, request?: SemaphoreRequest): Arrangement;
  reset(limiter: Limiter, key: string): void;
}
