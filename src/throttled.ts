import { type AbortSignalLike, checkSignal, unlessAborted } from "./abort.js";
import type { AlgorithmType } from "./algorithms/algorithm.js";
import { type AlgorithmName, type Decision, Limiter } from "./algorithms/limiter.js";
import { complaint, flag, functionOrNothing, knownOptions, wholeNumber } from "./argument.js";
import { type PerCall, resolveOption } from "./decorate.js";
import { type Duration, toMs } from "./duration.js";
import { LimitedError } from "./errors.js";
import { checkKey } from "./key.js";
import { mirror } from "./mirror.js";
import { type Listener, Observer } from "./observation.js";
import { Permit } from "./permit.js";
import type { Quota, QuotaInput } from "./quota.js";
import { type RateLimitResult, type RateLimitState, resultOf } from "./result.js";
import { timerOf } from "./sleep.js";
import { type MemoryStore, sharedStore } from "./stores/memory-store.js";
import type { Answer, Store, SyncStore } from "./stores/store.js";
import { openWaitingRoom, waitingRoom } from "./waiting-room.js";

/** Options of a `Throttled`. */
export interface ThrottledOptions<S extends Store = Store> {
  /** The key of calls that give none. */
  readonly key?: string | undefined;
  /** The algorithm, `"token-bucket"` by default. */
  readonly using?: AlgorithmName | AlgorithmType | undefined;
  /** One quota or several, all of which must pass; `"60/m"` by default. */
  readonly quota?: QuotaInput | readonly QuotaInput[] | undefined;
  /** Where keys are kept; by default one `MemoryStore` that the whole process shares. */
  readonly store?: S | undefined;
  /** Units that a call spends unless it says otherwise, 0 or more; 1 by default. */
  readonly cost?: number | undefined;
  /** How long a call may wait for its turn unless it says otherwise; 0 by default, which answers at once. */
  readonly timeout?: Duration | undefined;
  /** Hears of each call that may pass, at once or after a wait; nobody waits for it, and what it throws is ignored. */
  readonly onAllowed?: Listener | undefined;
  /** Hears of each refusal; nobody waits for it, and what it throws is ignored. */
  readonly onLimited?: Listener | undefined;
}

/** Options of one call. */
export interface CallOptions {
  /** Units that the call spends, 0 or more. */
  readonly cost?: number | undefined;
  /** How long the call may wait for its turn; 0 answers at once. */
  readonly timeout?: Duration | undefined;
  /** Ends the wait; the call rejects with its reason, and its units are given back. */
  readonly signal?: AbortSignalLike | undefined;
}

/** Options of `run`. */
export interface RunOptions extends CallOptions {
  /** Whether a call that throws gets its cost back; `false` by default. */
  readonly refundOnError?: boolean | undefined;
}

/** Options of `wrap`: `key` and `cost` are values, or computed from the arguments of each call with its `this`. */
export interface WrapOptions<This, A extends unknown[]> {
  /** The key of a call; by default that of the limiter. */
  readonly key?: PerCall<This, A, string> | undefined;
  /** Units that a call spends, 0 or more; by default as many as the limiter says. */
  readonly cost?: PerCall<This, A, number> | undefined;
  /** How long a call may wait for its turn. */
  readonly timeout?: Duration | undefined;
  /** Whether a call that throws gets its cost back; `false` by default. */
  readonly refundOnError?: boolean | undefined;
}

/** One call of `limitMany`. */
export interface LimitRequest {
  /** The key; by default that of the limiter. */
  readonly key?: string | undefined;
  /** Units to spend, 0 or more; by default as many as the limiter says. */
  readonly cost?: number | undefined;
}

interface Call {
  readonly key: string;
  readonly cost: number;
  readonly maxWaitMs: number;
  readonly signal: AbortSignalLike | undefined;
}

const OPTIONS = ["key", "using", "quota", "store", "cost", "timeout", "onAllowed", "onLimited"];

/** Calls of `limitMany` that are under way at once: more would be late at a store that is far away. */
const MOST_AT_ONCE = 512;

/** A rate limiter: an algorithm, one quota or several, and the store that remembers what each key has spent. */
export class Throttled<S extends Store = MemoryStore> {
  /** Where keys are kept. */
  readonly store: S;
  /** The key of calls that give none. */
  readonly key: string | undefined;
  readonly #limiter: Limiter;
  readonly #cost: number;
  readonly #timeoutMs: number;
  readonly #observer: Observer;

  /** @throws TypeError, RangeError naming the option that is wrong. */
  constructor(options: ThrottledOptions<S> = {}) {
    knownOptions("options", options, OPTIONS);
    const { key, using = "token-bucket", quota = "60/m", store, cost = 1, timeout = 0 } = options;
    this.#limiter = new Limiter(using, quota);
    this.key = key === undefined ? undefined : checkKey(key);
    this.#cost = wholeNumber("cost", cost, 0);
    this.#timeoutMs = toMs("timeout", timeout);
    this.store = (store === undefined ? sharedStore() : store) as S;
    if (typeof this.store?.decide !== "function") throw new TypeError(complaint("store", "a store", store));
    this.#observer = new Observer(
      {
        algorithm: this.#limiter.algorithm.algorithmName,
        quotas: this.#limiter.quotas,
        store: this.store.name,
      },
      functionOrNothing("onAllowed", options.onAllowed),
      functionOrNothing("onLimited", options.onLimited),
    );
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
    if (typeof cost === "object") {
      const call = this.#call(key, cost);
      return resultOf(await this.#limit(call), call.cost);
    }
    const units = this.#costOf(cost);
    const answer = this.#decide(this.#keyOf(key), units, this.#timeoutMs, undefined);
    return resultOf(isPromise(answer) ? await answer : answer, units);
  }

  /** `limit` for stores that answer at once; it never waits. @throws TypeError, RangeError */
  limitSync(this: Throttled<SyncStore>, key?: string, cost?: number): RateLimitResult {
    const units = this.#costOf(cost);
    this.#checkSync("limitSync");
    return resultOf(this.#ask(this.#keyOf(key), units, 0) as Answer, units);
  }

  /** What a key has left, without spending. Rejects with a TypeError, RangeError or StoreError. */
  async peek(key?: string): Promise<RateLimitState> {
    return stateOf(await this.store.decide(this.#limiter, this.#keyOf(key), 0, 0));
  }

  /** `peek` for stores that answer at once. @throws TypeError, RangeError */
  peekSync(this: Throttled<SyncStore>, key?: string): RateLimitState {
    this.#checkSync("peekSync");
    return stateOf(this.store.decide(this.#limiter, this.#keyOf(key), 0, 0));
  }

  /** `limit` that rejects with a LimitedError instead of answering that it is limited. */
  async acquire(key?: string, cost?: number | CallOptions): Promise<Permit> {
    const call = this.#call(key, cost);
    return this.#permit(call, await this.#limit(call));
  }

  /** `acquire` for stores that answer at once; it never waits. @throws LimitedError, TypeError, RangeError */
  acquireSync(this: Throttled<SyncStore>, key?: string, cost?: number): Permit {
    const call = { key: this.#keyOf(key), cost: this.#costOf(cost), maxWaitMs: 0, signal: undefined };
    this.#checkSync("acquireSync");
    return this.#permit(call, this.#ask(call.key, call.cost, 0) as Answer);
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
    return this.#run(key, fn, options);
  }

  async #run<T>(
    key: string | undefined,
    fn: (permit: Permit) => T | Promise<T>,
    options: RunOptions,
  ): Promise<T> {
    knownOptions("options", options, ["cost", "timeout", "signal", "refundOnError"]);
    const { refundOnError, ...callOptions } = options;
    flag("refundOnError", refundOnError);
    const permit = await this.acquire(key, callOptions);
    try {
      return await fn(permit);
    } catch (error) {
      // What went wrong with the call matters more than that its cost could not be given back.
      if (refundOnError) await permit.refund().catch(() => {});
      throw error;
    }
  }

  /** A function that runs `fn` under this limiter; it keeps `this`, name, length, `Reflect` metadata and arguments. */
  wrap<This, A extends unknown[], R>(
    fn: (this: This, ...args: A) => R | Promise<R>,
    options: WrapOptions<This, A> = {},
  ): (this: This, ...args: A) => Promise<R> {
    const { key, cost, ...rest } = checkWrap(fn, options);
    const run = (...call: [string | undefined, () => R | Promise<R>, RunOptions]): Promise<R> =>
      this.#run(...call);
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
    this.#checkSync("wrapSync");
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
    await this.#giveBack(this.store, this.#keyOf(key), this.#costOf(cost));
  }

  /** Forgets a key: it is fresh again. Those who wait for it keep their moments. */
  async reset(key?: string): Promise<void> {
    await this.store.reset(this.#limiter, this.#keyOf(key));
  }

  /** Many calls at once, each on its own; the answers come in their order. It never waits. */
  async limitMany(requests: readonly (string | LimitRequest)[]): Promise<RateLimitResult[]> {
    if (!Array.isArray(requests)) throw new TypeError(complaint("requests", "an array", requests));
    const keys: string[] = [];
    const costs: number[] = [];
    for (const request of requests as readonly (string | LimitRequest)[]) {
      if (typeof request !== "string") knownOptions("request", request, ["key", "cost"]);
      keys.push(this.#keyOf(typeof request === "string" ? request : request.key));
      costs.push(typeof request === "string" ? this.#cost : this.#costOf(request.cost));
    }
    const { isHeard } = this.#observer;
    const answers = await (isHeard
      ? this.#observer.watchMany(keys, costs, () => this.#decideMany(keys, costs))
      : this.#decideMany(keys, costs));
    return answers.map((answer, i) => resultOf(answer, costs[i]!));
  }

  async #decideMany(keys: readonly string[], costs: readonly number[]): Promise<Answer[]> {
    const { store } = this;
    if (store.decideMany) return store.decideMany(this.#limiter, keys, costs);
    const answers: Answer[] = [];
    for (let i = 0; i < keys.length; i += MOST_AT_ONCE) {
      const some = keys.slice(i, i + MOST_AT_ONCE);
      const asked = some.map(async (key, j) => store.decide(this.#limiter, key, costs[i + j]!, 0));
      answers.push(...(await Promise.all(asked)));
    }
    return answers;
  }

  async #limit({ key, cost, maxWaitMs, signal }: Call): Promise<Answer> {
    if (signal?.aborted) throw signal.reason;
    return unlessAborted(this.#decide(key, cost, maxWaitMs, signal), signal);
  }

  /** The answer of the store, of which those hear who listen. */
  #ask(key: string, cost: number, maxWaitMs: number): Answer | Promise<Answer> {
    return this.#observer.isHeard
      ? this.#askWatched(key, cost, maxWaitMs)
      : this.store.decide(this.#limiter, key, cost, maxWaitMs);
  }

  /** Apart, as a call in which a function is made costs more even where it is not reached. */
  #askWatched(key: string, cost: number, maxWaitMs: number): Answer | Promise<Answer> {
    return this.#observer.watch(key, cost, () => this.store.decide(this.#limiter, key, cost, maxWaitMs));
  }

  /** The answer of the store, once the moment has come that it booked. */
  #decide(
    key: string,
    cost: number,
    maxWaitMs: number,
    signal: AbortSignalLike | undefined,
  ): Answer | Promise<Answer> {
    if (maxWaitMs === 0 && signal === undefined) return this.#ask(key, cost, maxWaitMs);
    const timer = timerOf(this.store.clock);
    const askedAt = timer.now();
    const answer = this.#ask(key, cost, maxWaitMs);
    // Those who wait come in as they are answered, whether they have a signal or not.
    return isPromise(answer)
      ? answer.then((each) => this.#enter(each, key, cost, signal, timer.now() - askedAt))
      : this.#enter(answer, key, cost, signal, 0);
  }

  #enter(
    answer: Answer,
    key: string,
    cost: number,
    signal: AbortSignalLike | undefined,
    lateMs: number,
  ): Answer | Promise<Answer> {
    const { booking, by } = answer;
    if (booking !== undefined) {
      const room = waitingRoom(by ?? this.store, this.#limiter, key, booking.waitMs);
      const wait = room.wait(resultOf(answer, cost), booking, cost, signal, lateMs);
      const waited = this.#observer.watchWait(key, cost, wait);
      return by === undefined ? waited : waited.then((result) => ({ ...result, by }));
    }
    if (signal?.aborted && !answer.limited)
      this.#giveBack(this.#chargedBy(answer), key, cost).catch(() => {});
    return answer;
  }

  /** The store that charged for an answer; none where a policy let the call pass. */
  #chargedBy({ source, by }: Answer): Store | undefined {
    return source === "policy" ? undefined : (by ?? this.store);
  }

  #permit({ key, cost }: Call, answer: Answer): Permit {
    const result = resultOf(answer, cost);
    if (result.limited) throw new LimitedError(key, result);
    const store = this.#chargedBy(answer);
    return new Permit(key, cost, result, async (units) => {
      if (units < 0) await this.#giveBack(store, key, -units);
      else await store?.decide(this.#limiter, key, units, Number.POSITIVE_INFINITY);
    });
  }

  /** Gives units back to the store that charged them, if any did. */
  async #giveBack(store: Store | undefined, key: string, units: number): Promise<void> {
    if (units === 0 || store === undefined) return;
    const room = openWaitingRoom(store, this.#limiter, key);
    if (room) await room.refund(units);
    else await store.decide(this.#limiter, key, -units, 0);
  }

  #checkSync(method: string): void {
    if (this.store.sync) return;
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
    checkSignal(signal);
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
  const { key, cost, timeout, refundOnError } = options;
  flag("refundOnError", refundOnError);
  if (typeof key !== "function" && key !== undefined) checkKey(key);
  if (typeof cost !== "function" && cost !== undefined) wholeNumber("cost", cost, 0);
  if (timeout !== undefined) toMs("timeout", timeout);
  return options;
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T>).then === "function";
}

function stateOf({ limit, remaining, resetAfterMs, retryAfterMs }: Decision): RateLimitState {
  return { limit, remaining, resetAfterMs, retryAfterMs };
}
