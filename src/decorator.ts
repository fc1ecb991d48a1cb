import { complaint, knownOptions } from "./argument.js";
import { type AnyFunction, mirror } from "./mirror.js";
import type { Store, SyncStore } from "./stores/store.js";
import { Throttled, type ThrottledOptions, type WrapOptions } from "./throttled.js";

// biome-ignore lint/suspicious/noExplicitAny: parameters of a key or cost function are those of the method, unknown here.
type CallArguments = any[];
// biome-ignore lint/suspicious/noExplicitAny: so is its `this`.
type Options = WrapOptions<any, CallArguments>;
type Asynchronous = (...args: CallArguments) => Promise<unknown>;

/** Options of a decorator that makes a limiter of its own: those of `Throttled`, and those of `wrap`. */
export type DecoratorOptions<S extends Store = Store> = Omit<ThrottledOptions<S>, "key" | "cost"> & Options;

/** Decorates methods (TC39 and legacy decorators) and wraps functions, all of a kind. */
export interface Decorator<F extends AnyFunction> {
  <This, A extends unknown[], R extends ReturnType<F>>(
    method: (this: This, ...args: A) => R,
    context: ClassMethodDecoratorContext<This, (this: This, ...args: A) => R>,
  ): (this: This, ...args: A) => R;
  <M extends F>(target: object, name: string | symbol, descriptor: TypedPropertyDescriptor<M>): void;
  // Decorators are called with two arguments or more: `none` keeps getters, fields and classes out.
  <M extends F>(fn: M, none?: never): M;
}

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
  return decorate(limiter, rest, (fn, wrapOptions) => limiter.wrap(fn, wrapOptions));
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
  return decorate(limiter, rest, (fn, wrapOptions) => limiter.wrapSync(fn, wrapOptions));
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

function decorate<F extends AnyFunction>(
  limiter: Throttled<Store>,
  options: Options,
  wrap: (fn: F, options: Options) => AnyFunction,
): Decorator<F> {
  const wrapWith = (fn: F, key: Options["key"]): AnyFunction =>
    wrap(fn, { ...options, key: options.key ?? limiter.key ?? key });

  return ((...args: unknown[]) => {
    const [first, second, descriptor] = args as [unknown, unknown, PropertyDescriptor | undefined];
    if (typeof second === "string" || typeof second === "symbol") {
      if (typeof descriptor?.value !== "function")
        throw new TypeError(complaint("target", "a method", descriptor?.value));
      const owner = typeof first === "function" ? first.name : (first as object).constructor.name;
      return { ...descriptor, value: wrapWith(descriptor.value, `${owner}.${nameOf(second)}`) };
    }
    if (typeof second === "object" && second !== null && "kind" in second) {
      return decorateMethod(first as F, second as ClassMethodDecoratorContext, wrapWith);
    }
    if (typeof first !== "function") throw new TypeError(complaint("fn", "a function", first));
    if (/^class\b/.test(Function.prototype.toString.call(first))) {
      throw new TypeError("Expected `fn` to be a function, got a class");
    }
    if (first.name === "" && options.key === undefined && limiter.key === undefined) {
      throw new TypeError("Expected `key` to be given for a function without a name");
    }
    return wrapWith(first as F, first.name);
  }) as Decorator<F>;
}

/** The class of a TC39 method is known only once there is an instance: the one on whose prototype the method stands. */
function decorateMethod<F extends AnyFunction>(
  method: F,
  context: ClassMethodDecoratorContext,
  wrapWith: (fn: F, key: Options["key"]) => AnyFunction,
): AnyFunction {
  if (context.kind !== "method") throw new TypeError(complaint("target", "a method", context.kind));
  const name = nameOf(context.name);
  let owner: string | undefined;
  const wrapped: AnyFunction = wrapWith(method, () => (owner === undefined ? name : `${owner}.${name}`));
  context.addInitializer(function (this: unknown) {
    owner ??= ownerOf(this, context.name, wrapped);
  });
  return mirror(method, wrapped);
}

/** Under another decorator the method itself is not to be found: then it is the class furthest up that has one of its name. */
function ownerOf(self: unknown, name: string | symbol, method: AnyFunction): string {
  let owner = self;
  for (let at = Object(self); at !== null; at = Object.getPrototypeOf(at)) {
    const own = Object.getOwnPropertyDescriptor(at, name);
    if (own?.value === method) return classOf(at);
    if (own !== undefined) owner = at;
  }
  return classOf(owner);
}

function classOf(prototype: unknown): string {
  return typeof prototype === "function" ? prototype.name : (prototype as object).constructor.name;
}

function nameOf(name: string | symbol): string {
  return typeof name === "symbol" ? (name.description ?? "") : name;
}
