import { complaint, knownOptions } from "./argument.js";
import { type Asynchronous, type Decorator, decorate } from "./decorate.js";
import type { AnyFunction } from "./mirror.js";
import type { Store, SyncStore } from "./stores/store.js";
import { Throttled, type ThrottledOptions, type WrapOptions } from "./throttled.js";

// biome-ignore lint/suspicious/noExplicitAny: parameters of a key or cost function are those of the method, unknown here.
type CallArguments = any[];
// biome-ignore lint/suspicious/noExplicitAny: so is its `this`.
type Options = WrapOptions<any, CallArguments>;

/** Options of a decorator that makes a limiter of its own: those of `Throttled`, and those of `wrap`. */
export type DecoratorOptions<S extends Store = Store> = Omit<ThrottledOptions<S>, "key" | "cost"> & Options;

/**
 * Limits an async method or function: a call that is refused rejects with a LimitedError and runs nothing. Takes options
 * for a limiter of its own, or a `Throttled` to share and options for this use of it. A method without `key` uses
 * `ClassName.method`, a function its name.
 * @throws TypeError, RangeError
 */
export function throttled(options: DecoratorOptions): Decorator<Asynchronous>;
export function throttled(shared: Throttled<Store>, options?: Options): Decorator<Asynchronous>;
export function throttled(
  first: DecoratorOptions | Throttled<Store>,
  options: Options = {},
): Decorator<Asynchronous> {
  const [limiter, rest] = limiterOf(first, options);
  return decorate(limiter.key, rest, (fn, wrapOptions) => limiter.wrap(fn, wrapOptions));
}

/** `throttled` for methods and functions that answer at once, on stores that do. @throws TypeError, RangeError */
export function throttledSync(options: Omit<DecoratorOptions<SyncStore>, "timeout">): Decorator<AnyFunction>;
export function throttledSync(
  shared: Throttled<SyncStore>,
  options?: Omit<Options, "timeout">,
): Decorator<AnyFunction>;
export function throttledSync(
  first: DecoratorOptions<SyncStore> | Throttled<SyncStore>,
  options: Options = {},
): Decorator<AnyFunction> {
  const [limiter, rest] = limiterOf(first, options);
  return decorate(limiter.key, rest, (fn, wrapOptions) => limiter.wrapSync(fn, wrapOptions));
}

function limiterOf<S extends Store>(
  first: DecoratorOptions<S> | Throttled<S>,
  options: Options,
): [Throttled<S>, Options] {
  // Not by `instanceof`: the limiter may be of another copy of this package.
  if (typeof (first as Partial<Throttled<S>> | null)?.wrapSync === "function") {
    knownOptions("options", options, ["key", "cost", "timeout", "refundOnError"]);
    return [first as Throttled<S>, options];
  }
  if (typeof first !== "object" || first === null)
    throw new TypeError(complaint("options", "an object", first));
  const { key, cost, timeout, refundOnError, ...rest } = first as DecoratorOptions<S>;
  return [new Throttled(rest as ThrottledOptions<S>), { key, cost, timeout, refundOnError }];
}
