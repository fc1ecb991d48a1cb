import type { AlgorithmType } from "./algorithms/algorithm.js";
import { type AlgorithmName, type Booking, type Decision, Limiter } from "./algorithms/limiter.js";
import { complaint, knownOptions, wholeNumber } from "./argument.js";
import { type Duration, toMs } from "./duration.js";
import { LimitedError } from "./errors.js";
import { checkKey } from "./key.js";
import { mirror } from "./mirror.js";
import { Permit } from "./permit.js";
import type { Quota, QuotaInput } from "./quota.js";
import type { RateLimitResult, RateLimitState } from "./result.js";
import { MemoryStore } from "./stores/memory-store.js";
import type { Store, SyncStore } from "./stores/store.js";
import { openWaitingRoom, waitingRoom } from "./waiting-room.js";

/** Options of a `Throttled`. */
export interface ThrottledOptions<S extends Store = Store> {
  /** The key of calls that give none. */
  readonly key?: string;
  /** The algorithm, `"token-bucket"` by default. */
  readonly using?: AlgorithmName | AlgorithmType;
  /** One quota or several, all of which must pass; `"60/m"` by default. */
  readonly quota?: QuotaInput | readonly QuotaInput[];
  /** Where keys are kept; by default one `MemoryStore` that the whole process shares. */
  readonly store?: S;
  /** Units that a call spends unless it says otherwise, 0 or more; 1 by default. */
  readonly cost?: number;
  /** How long a call may wait for its turn unless it says otherwise; 0 by default, which answers at once. */
  readonly timeout?: Duration;
}

/** Options of one call. */
export interface CallOptions {
  /** Units that the call spends, 0 or more. */
  readonly cost?: number | undefined;
  /** How long the call may wait for its turn; 0 answers at once. */
  readonly timeout?: Duration | undefined;
  /** Ends the wait; the call rejects with its reason, and its units are given back. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `run`. */
export interface RunOptions extends CallOptions {
  /** Whether a call that throws gets its cost back; `false` by default. */
  readonly refundOnError?: boolean | undefined;
}

/** Options of `wrap`: `key` and `cost` are values, or computed from the arguments of each call with its `this`. */
export interface WrapOptions<This, A extends unknown[]> {
  readonly key?: PerCall<This, A, string> | undefined;
  readonly cost?: PerCall<This, A, number> | undefined;
  /** How long a call may wait for its turn. */
  readonly timeout?: Duration | undefined;
  /** Whether a call that throws gets its cost back; `false` by default. */
  readonly refundOnError?: boolean | undefined;
}

type PerCall<This, A extends unknown[], V> = V | ((this: This, ...args: A) => V);

/** One call of `limitMany`. */
export interface LimitRequest {
  readonly key?: string;
  readonly cost?: number;
}

interface Call {
  readonly key: string;
  readonly cost: number;
  readonly maxWaitMs: number;
  readonly signal: AbortSignal | undefined;
}

let defaultStore: MemoryStore | undefined;

function sharedStore(): MemoryStore {
  defaultStore ??= new MemoryStore();
  return defaultStore;
}

/** A rate limiter: an algorithm, one quota or several, and the store that remembers what each key has spent. */
export class Throttled<S extends Store = MemoryStore> {
  /** Where keys are kept. */
  readonly store: S;
  /** The key of calls that give none. */
  readonly key: string | undefined;
  readonly #limiter: Limiter;
  readonly #cost: number;
  readonly #timeoutMs: number;

  /** @throws TypeError, RangeError naming the option that is wrong. */
  constructor(options: ThrottledOptions<S> = {}) {
    knownOptions("options", options, ["key", "using", "quota", "store", "cost", "timeout"]);
    const { key, using = "token-bucket", quota = "60/m", store, cost = 1, timeout = 0 } = options;
    this.#limiter = new Limiter(using, quota);
    this.key = key === undefined ? undefined : checkKey(key);
    this.#cost = wholeNumber("cost", cost, 0);
    this.#timeoutMs = toMs("timeout", timeout);
    this.store = (store ?? sharedStore()) as S;
    if (typeof this.store.decide !== "function") throw new TypeError(complaint("store", "a store", store));
  }

  /** The quotas that every call must pass, in the order of `quotaIndex`. */
  get quotas(): readonly Quota[] {
    return this.#limiter.quotas;
  }

  /**
   * Spends `cost` units of a key, or says why not. With a `timeout` it may wait for its turn first, in the order of arrival
   * across every process on the same store. Rejects with a TypeError, RangeError or StoreError, or the reason of `signal`.
   */
  async limit(key?: string, cost?: number | CallOptions): Promise<RateLimitResult> {
    return this.#limit(this.#call(key, cost));
  }

  /** `limit` for stores that answer at once; it never waits. @throws TypeError, RangeError */
  limitSync(this: Throttled<SyncStore>, key?: string, cost?: number): RateLimitResult {
    return this.#limitNow("limitSync", key, cost);
  }

  /** What a key has left, without spending. Rejects with a TypeError, RangeError or StoreError. */
  async peek(key?: string): Promise<RateLimitState> {
    return stateOf(await this.store.decide(this.#limiter, this.#keyOf(key), 0, 0));
  }

  /** `peek` for stores that answer at once. @throws TypeError, RangeError */
  peekSync(this: Throttled<SyncStore>, key?: string): RateLimitState {
    return stateOf(this.#syncStore("peekSync").decide(this.#limiter, this.#keyOf(key), 0, 0));
  }

  /** `limit` that rejects with a LimitedError instead of answering that it is limited. */
  async acquire(key?: string, cost?: number | CallOptions): Promise<Permit> {
    const call = this.#call(key, cost);
    return this.#permit(call.key, call.cost, await this.#limit(call));
  }

  /** `acquire` for stores that answer at once; it never waits. @throws LimitedError, TypeError, RangeError */
  acquireSync(this: Throttled<SyncStore>, key?: string, cost?: number): Permit {
    const result = this.#limitNow("acquireSync", key, cost);
    return this.#permit(this.#keyOf(key), this.#costOf(cost), result);
  }

  /** Calls `fn` once `acquire` let it through, and answers with what it returns. */
  run<T>(fn: (permit: Permit) => T | Promise<T>, options?: RunOptions): Promise<T>;
  run<T>(key: string | undefined, fn: (permit: Permit) => T | Promise<T>, options?: RunOptions): Promise<T>;
  async run<T>(...args: unknown[]): Promise<T> {
    const [key, fn, options = {}] = (typeof args[0] === "function" ? [undefined, ...args] : args) as [
      string | undefined,
      (permit: Permit) => T | Promise<T>,
      RunOptions | undefined,
    ];
    if (typeof fn !== "function") throw new TypeError(complaint("fn", "a function", fn));
    knownOptions("options", options, ["cost", "timeout", "signal", "refundOnError"]);
    const { refundOnError = false, ...callOptions } = options;
    await using permit = await this.acquire(key, callOptions);
    try {
      return await fn(permit);
    } catch (error) {
      if (refundOnError) await permit.refund();
      throw error;
    }
  }

  /** A function that runs `fn` under this limiter; it keeps `this`, name, length, `Reflect` metadata and arguments. */
  wrap<This, A extends unknown[], R>(
    fn: (this: This, ...args: A) => R | Promise<R>,
    options: WrapOptions<This, A> = {},
  ): (this: This, ...args: A) => Promise<R> {
    const { key, cost, ...rest } = checkWrap(fn, options);
    const run = this.run.bind(this) as Throttled["run"];
    return mirror(fn, async function (this: This, ...args: A): Promise<R> {
      const runOptions = { ...rest, cost: resolveOption(cost, this, args) };
      return run(resolveOption(key, this, args), () => fn.apply(this, args), runOptions);
    });
  }

  /** `wrap` for functions that answer at once, on stores that do; `timeout` has no meaning here. @throws TypeError, RangeError */
  wrapSync<This, A extends unknown[], R>(
    this: Throttled<SyncStore>,
    fn: (this: This, ...args: A) => R,
    options: Omit<WrapOptions<This, A>, "timeout"> = {},
  ): (this: This, ...args: A) => R {
    const { key, cost, refundOnError } = checkWrap(fn, options);
    this.#syncStore("wrapSync");
    const acquire = this.acquireSync.bind(this);
    return mirror(fn, function (this: This, ...args: A): R {
      const permit = acquire(resolveOption(key, this, args), resolveOption(cost, this, args));
      try {
        return fn.apply(this, args);
      } catch (error) {
        if (refundOnError) permit.refund().catch(() => {});
        throw error;
      }
    });
  }

  /** Gives units of a key back, never above a fresh key: `cost`, or what a call spends by default. */
  async refund(key?: string, cost?: number): Promise<void> {
    await this.#giveBack(this.#keyOf(key), this.#costOf(cost));
  }

  /** Forgets a key: it is fresh again. Those who wait for it keep their moments. */
  async reset(key?: string): Promise<void> {
    await this.store.reset(this.#limiter, this.#keyOf(key));
  }

  /** Many calls at once, each on its own; the answers come in their order. It never waits. */
  async limitMany(requests: readonly (string | LimitRequest)[]): Promise<RateLimitResult[]> {
    if (!Array.isArray(requests)) throw new TypeError(complaint("requests", "an array", requests));
    const calls = requests.map((request) => {
      if (typeof request === "string") return { key: this.#keyOf(request), cost: this.#cost };
      knownOptions("request", request, ["key", "cost"]);
      return { key: this.#keyOf(request.key), cost: this.#costOf(request.cost) };
    });
    const decisions = calls.map(({ key, cost }) => this.store.decide(this.#limiter, key, cost, 0));
    return (await Promise.all(decisions)).map((decision, i) => resultOf(decision, calls[i]!.cost));
  }

  async #limit({ key, cost, maxWaitMs, signal }: Call): Promise<RateLimitResult> {
    signal?.throwIfAborted();
    const pending = this.store.decide(this.#limiter, key, cost, maxWaitMs);
    const decision = signal ? await this.#unlessAborted(pending, key, cost, signal) : await pending;
    if (decision.booking === undefined) return resultOf(decision, cost);
    return waitingRoom(this.store, this.#limiter, key).wait(
      { ...decision, booking: decision.booking },
      cost,
      signal,
    );
  }

  /** The decision, or the reason of an abort that came first: then what the decision spends is given back. */
  #unlessAborted(
    pending: Decision | Promise<Decision>,
    key: string,
    cost: number,
    signal: AbortSignal,
  ): Promise<Decision> {
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      Promise.resolve(pending).then((decision) => {
        signal.removeEventListener("abort", abort);
        if (!signal.aborted) resolve(decision);
        else if (cost > 0 && !decision.limited) this.#giveBack(key, cost, decision.booking).catch(() => {});
      }, reject);
    });
  }

  #limitNow(method: string, key: string | undefined, cost: number | undefined): RateLimitResult {
    const units = this.#costOf(cost);
    return resultOf(this.#syncStore(method).decide(this.#limiter, this.#keyOf(key), units, 0), units);
  }

  #permit(key: string, cost: number, result: RateLimitResult): Permit {
    if (result.limited) throw new LimitedError(key, result);
    return new Permit(key, cost, result, async (units) => {
      if (units < 0) await this.#giveBack(key, -units);
      else await this.store.decide(this.#limiter, key, units, Number.POSITIVE_INFINITY);
    });
  }

  async #giveBack(key: string, units: number, booking?: Booking): Promise<void> {
    if (units === 0) return;
    const room = booking ? undefined : openWaitingRoom(this.store, this.#limiter, key);
    if (room) await room.refund(units);
    else await this.store.decide(this.#limiter, key, -units, 0, booking);
  }

  #syncStore(method: string): SyncStore {
    if (this.store.sync) return this.store as unknown as SyncStore;
    throw new TypeError(
      `Expected \`${method}\` to be called on a store that answers at once, got ${this.store.name}`,
    );
  }

  #call(key: string | undefined, cost: number | CallOptions | undefined): Call {
    if (cost === undefined || typeof cost === "number") {
      return {
        key: this.#keyOf(key),
        cost: this.#costOf(cost),
        maxWaitMs: this.#timeoutMs,
        signal: undefined,
      };
    }
    if (typeof cost !== "object")
      throw new TypeError(complaint("cost", "a non-negative integer, or options", cost));
    knownOptions("options", cost, ["cost", "timeout", "signal"]);
    const { timeout, signal } = cost;
    if (signal !== undefined && typeof signal?.throwIfAborted !== "function") {
      throw new TypeError(complaint("signal", "an AbortSignal", signal));
    }
    return {
      key: this.#keyOf(key),
      cost: this.#costOf(cost.cost),
      maxWaitMs: timeout === undefined ? this.#timeoutMs : toMs("timeout", timeout),
      signal,
    };
  }

  #keyOf(key: string | undefined): string {
    return checkKey(key === undefined ? this.key : key);
  }

  #costOf(cost: number | undefined): number {
    return cost === undefined ? this.#cost : wholeNumber("cost", cost, 0);
  }
}

function checkWrap<This, A extends unknown[]>(
  fn: unknown,
  options: WrapOptions<This, A>,
): WrapOptions<This, A> {
  if (typeof fn !== "function") throw new TypeError(complaint("fn", "a function", fn));
  knownOptions("options", options, ["key", "cost", "timeout", "refundOnError"]);
  const { key, cost, timeout } = options;
  if (typeof key !== "function" && key !== undefined) checkKey(key);
  if (typeof cost !== "function" && cost !== undefined) wholeNumber("cost", cost, 0);
  if (timeout !== undefined) toMs("timeout", timeout);
  return options;
}

function resolveOption<This, A extends unknown[], V extends string | number>(
  option: PerCall<This, A, V> | undefined,
  self: This,
  args: A,
): V | undefined {
  return typeof option === "function" ? option.apply(self, args) : option;
}

function resultOf(decision: Decision, cost: number): RateLimitResult {
  return cost === 0 ? { ...decision, retryAfterMs: 0 } : decision;
}

function stateOf({ limit, remaining, resetAfterMs, retryAfterMs }: Decision): RateLimitState {
  return { limit, remaining, resetAfterMs, retryAfterMs };
}
