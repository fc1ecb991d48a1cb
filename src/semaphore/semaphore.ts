import { type AbortSignalLike, checkSignal } from "../abort.js";
import { complaint, knownOptions, wholeNumber } from "../argument.js";
import { type Asynchronous, type Decorator, decorate, resolveOption } from "../decorate.js";
import { type Duration, toMs } from "../duration.js";
import { checkKey } from "../key.js";
import { mirror } from "../mirror.js";
import { type MemoryStore, sharedStore } from "../stores/memory-store.js";
import type { Store, SyncStore } from "../stores/store.js";
import { Keeper, type SemaphoreStore } from "./keeper.js";
import type { Lease } from "./lease.js";
import type { SemaphoreRules } from "./state.js";

/** Options of a `Semaphore`. */
export interface SemaphoreOptions<S extends Store = Store> {
  /** The key of calls that give none. */
  readonly key?: string | undefined;
  /** How many permits of a key may be held at once, 1 or more. */
  readonly capacity: number;
  /** Where keys are kept; by default one `MemoryStore` that the whole process shares. */
  readonly store?: S | undefined;
  /**
   * How long permits stay taken if their process dies, 100 ms to 24 days; `"30s"` by default. They are renewed at a third of it,
   * so work may take much longer.
   */
  readonly lease?: Duration | undefined;
  /** How long a call may wait for its turn unless it says otherwise; 0 by default, which answers at once. */
  readonly timeout?: Duration | undefined;
  /** The most calls that may wait for a key at once; as many as like to by default. */
  readonly maxWaiting?: number | undefined;
}

/** Options of one call. */
export interface AcquireOptions {
  /** How many permits to take at once, 1 or more; 1 by default. */
  readonly permits?: number | undefined;
  /** How long the call may wait for its turn; 0 answers at once. */
  readonly timeout?: Duration | undefined;
  /** Ends the wait; the call rejects with its reason. */
  readonly signal?: AbortSignalLike | undefined;
}

/** Options of `limit`: `key` and `permits` are values, or computed from the arguments of each call with its `this`. */
export interface SemaphoreLimitOptions {
  // biome-ignore lint/suspicious/noExplicitAny: parameters are those of the method, unknown here; so is its `this`.
  readonly key?: string | ((this: any, ...args: any[]) => string) | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly permits?: number | ((this: any, ...args: any[]) => number) | undefined;
  /** How long a call may wait for its turn. */
  readonly timeout?: Duration | undefined;
}

/** What a semaphore looks like now. */
export interface SemaphoreOccupancy {
  /** Permits that may be held at once. */
  readonly capacity: number;
  /** Permits that are held; more than the capacity for a while after that was lowered. */
  readonly inUse: number;
  /** How many calls stand in line. */
  readonly waiting: number;
}

/** Leases have to outlast a few round trips to the store, and end while numbers of milliseconds are exact. */
const SHORTEST_LEASE_MS = 100;
const LONGEST_LEASE_MS = 2 ** 31 - 1;

/** Permits in use are kept above all moments in a number below 2^53. */
const LARGEST_CAPACITY = 2 ** 52 - 1;

/** Limits how many hold a key at once, in one process or in many; whoever dies loses its permits when its lease ends. */
export class Semaphore<S extends Store = MemoryStore> {
  /** Where keys are kept. */
  readonly store: S;
  /** The key of calls that give none. */
  readonly key: string | undefined;
  readonly #leaseMs: number;
  readonly #timeoutMs: number;
  readonly #maxWaiting: number;
  readonly #keepers = new Map<string, Keeper>();
  #capacity: number;

  /** @throws TypeError, RangeError naming the option that is wrong. */
  constructor(options: SemaphoreOptions<S>) {
    knownOptions("options", options, ["key", "capacity", "store", "lease", "timeout", "maxWaiting"]);
    const { key, capacity, store, lease = "30s", timeout = 0, maxWaiting } = options;
    this.key = key === undefined ? undefined : checkKey(key);
    this.#capacity = checkCapacity(capacity);
    this.#leaseMs = toMs("lease", lease);
    if (this.#leaseMs < SHORTEST_LEASE_MS || this.#leaseMs > LONGEST_LEASE_MS) {
      throw new RangeError(complaint("lease", `a duration from ${SHORTEST_LEASE_MS} ms to 24 days`, lease));
    }
    this.#timeoutMs = toMs("timeout", timeout);
    this.#maxWaiting =
      maxWaiting === undefined ? Number.MAX_SAFE_INTEGER : wholeNumber("maxWaiting", maxWaiting, 0);
    this.store = (store === undefined ? sharedStore() : store) as S;
    if (typeof this.store?.arrange !== "function") {
      throw new TypeError(complaint("store", "a store that has semaphores", store));
    }
  }

  /** Permits of a key that may be held at once. A lower capacity takes nothing away from those who hold more. */
  get capacity(): number {
    return this.#capacity;
  }

  /** @throws TypeError, RangeError for anything but a positive integer. */
  set capacity(capacity: number) {
    this.#capacity = checkCapacity(capacity);
    for (const keeper of this.#keepers.values()) keeper.letIn();
  }

  /**
   * Takes permits of a key until they are released. With a `timeout` it may wait for its turn first, in the order of arrival
   * across every process on the same store. Rejects with a LimitedError if none came free in time, a TypeError, RangeError
   * or StoreError, or the reason of `signal`.
   */
  async acquire(key?: string, options: AcquireOptions = {}): Promise<Lease> {
    knownOptions("options", options, ["permits", "timeout", "signal"]);
    const { permits, timeout, signal } = options;
    checkSignal(signal);
    const timeoutMs = timeout === undefined ? this.#timeoutMs : toMs("timeout", timeout);
    const some = permitsOf(permits);
    if (signal?.aborted) throw signal.reason;
    return this.#keeper(key).acquire(some, timeoutMs, signal);
  }

  /** `acquire` for stores that answer at once; it never waits. @throws LimitedError, TypeError, RangeError */
  acquireSync(this: Semaphore<SyncStore>, key?: string, permits?: number): Lease {
    if (!this.store.sync) {
      throw new TypeError(
        `Expected \`acquireSync\` to be called on a store that answers at once, got ${(this.store as Store).name}`,
      );
    }
    const some = permitsOf(permits);
    return this.#keeper(key).acquireSync(some);
  }

  /** Calls `fn` with the permits, releases them, and answers with what it returns. */
  run<T>(fn: (lease: Lease) => T | Promise<T>, options?: AcquireOptions): Promise<T>;
  run<T>(key: string | undefined, fn: (lease: Lease) => T | Promise<T>, options?: AcquireOptions): Promise<T>;
  async run<T>(...args: unknown[]): Promise<T> {
    const [key, fn, options] = (typeof args[0] === "function" ? [undefined, ...args] : args) as [
      string | undefined,
      (lease: Lease) => T | Promise<T>,
      AcquireOptions | undefined,
    ];
    if (typeof fn !== "function") throw new TypeError(complaint("fn", "a function", fn));
    const lease = await this.acquire(key, options);
    try {
      return await fn(lease);
    } finally {
      await lease[Symbol.asyncDispose]();
    }
  }

  /**
   * Decorates an async method (TC39 and legacy decorators) or wraps a function: a call that gets no permits rejects with a
   * LimitedError and runs nothing. A method without `key` uses `ClassName.method`, a function its name.
   * @throws TypeError, RangeError
   */
  limit(options: SemaphoreLimitOptions = {}): Decorator<Asynchronous> {
    knownOptions("options", options, ["key", "permits", "timeout"]);
    const { key, permits, timeout } = options;
    if (typeof key !== "function" && key !== undefined) checkKey(key);
    if (typeof permits !== "function" && permits !== undefined) wholeNumber("permits", permits, 1);
    if (timeout !== undefined) toMs("timeout", timeout);
    const semaphore = this;
    return decorate(this.key, options, (fn, { key, permits, timeout }) =>
      mirror(fn, async function (this: unknown, ...args: Parameters<Asynchronous>) {
        const options = { permits: resolveOption(permits, this, args), timeout };
        return semaphore.run(resolveOption(key, this, args), () => fn.apply(this, args), options);
      }),
    );
  }

  /** How many permits of a key are held, and how many wait for some. Rejects with a TypeError, RangeError or StoreError. */
  async peek(key?: string): Promise<SemaphoreOccupancy> {
    const { inUse, waiting } = await this.#store.arrange(this.#keyOf(key), this.#rules());
    return { capacity: this.#capacity, inUse, waiting };
  }

  #keeper(key: string | undefined): Keeper {
    const name = this.#keyOf(key);
    let keeper = this.#keepers.get(name);
    if (keeper === undefined) {
      keeper = new Keeper(
        this.#store,
        name,
        this.#leaseMs,
        () => this.#rules(),
        () => this.#keepers.delete(name),
      );
      this.#keepers.set(name, keeper);
    }
    return keeper;
  }

  get #store(): SemaphoreStore {
    return this.store as unknown as SemaphoreStore;
  }

  #rules(): SemaphoreRules {
    return { capacity: this.#capacity, maxWaiting: this.#maxWaiting };
  }

  #keyOf(key: string | undefined): string {
    return checkKey(key === undefined ? this.key : key);
  }
}

function checkCapacity(capacity: unknown): number {
  const permits = wholeNumber("capacity", capacity, 1);
  if (permits <= LARGEST_CAPACITY) return permits;
  throw new RangeError(complaint("capacity", "a positive integer below 2^52", capacity));
}

function permitsOf(permits: number | undefined): number {
  return permits === undefined ? 1 : wholeNumber("permits", permits, 1);
}
