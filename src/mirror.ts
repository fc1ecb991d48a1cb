// biome-ignore lint/suspicious/noExplicitAny: any function will do, and unknown parameters would refuse most of them.
export type AnyFunction = (...args: any[]) => unknown;

interface MetadataApi {
  getOwnMetadataKeys?(target: object): unknown[];
  getOwnMetadata?(key: unknown, target: object): unknown;
  defineMetadata?(key: unknown, value: unknown, target: object): void;
}

/** Makes `wrapper` look like `original`: its name, its length, and the metadata that frameworks keep on functions. */
export function mirror<F extends AnyFunction>(original: AnyFunction, wrapper: F): F {
  Object.defineProperty(wrapper, "name", { value: original.name, configurable: true });
  Object.defineProperty(wrapper, "length", { value: original.length, configurable: true });
  const reflect = Reflect as MetadataApi;
  for (const key of reflect.getOwnMetadataKeys?.(original) ?? []) {
    reflect.defineMetadata?.(key, reflect.getOwnMetadata?.(key, original), wrapper);
  }
  return wrapper;
}
