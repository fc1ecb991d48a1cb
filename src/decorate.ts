import { complaint } from "./argument.js";
import { type AnyFunction, mirror } from "./mirror.js";

// biome-ignore lint/suspicious/noExplicitAny: parameters are those of the method, unknown here.
export type Asynchronous = (...args: any[]) => Promise<unknown>;

/** An option that is a value, or computed from the arguments of each call with its `this`. */
export type PerCall<This, A extends unknown[], V> = V | ((this: This, ...args: A) => V);

interface KeyOption {
  // biome-ignore lint/suspicious/noExplicitAny: parameters are those of the method, unknown here; so is its `this`.
  readonly key?: string | ((this: any, ...args: any[]) => string) | undefined;
}

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

/** A decorator that calls `wrap` with the options of a use, which come to their key by these, by `ownKey`, or by the function. */
export function decorate<F extends AnyFunction, O extends KeyOption>(
  ownKey: string | undefined,
  options: O,
  wrap: (fn: F, options: O) => AnyFunction,
): Decorator<F> {
  const wrapWith = (fn: F, key: KeyOption["key"]): AnyFunction =>
    wrap(fn, { ...options, key: options.key ?? ownKey ?? key });

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
    if (first.name === "" && options.key === undefined && ownKey === undefined) {
      throw new TypeError("Expected `key` to be given for a function without a name");
    }
    return wrapWith(first as F, first.name);
  }) as Decorator<F>;
}

/** The class of a TC39 method is known only once there is an instance: the one on whose prototype the method stands. */
function decorateMethod<F extends AnyFunction>(
  method: F,
  context: ClassMethodDecoratorContext,
  wrapWith: (fn: F, key: KeyOption["key"]) => AnyFunction,
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

/** The value of an option for one call. */
export function resolveOption<This, A extends unknown[], V extends string | number>(
  option: PerCall<This, A, V> | undefined,
  self: This,
  args: A,
): V | undefined {
  return typeof option === "function" ? option.apply(self, args) : option;
}
