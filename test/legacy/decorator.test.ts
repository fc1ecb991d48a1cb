import "reflect-metadata";
import { describe, expect, test, vi } from "vitest";
import { LimitedError, MemoryStore, Throttled, throttled, throttledSync } from "../../src/index.js";
import { ManualClock } from "../../src/testing.js";

function setUp() {
  const store = new MemoryStore({ clock: new ManualClock() });
  const limiter = new Throttled({ quota: "10/h", store });
  return {
    limiter,
    options: { quota: "10/h", store },
    left: (key: string) => limiter.peekSync(key).remaining,
  };
}

test("this folder is compiled with legacy decorators", () => {
  const seen: unknown[][] = [];
  const spy = (...args: unknown[]): void => void seen.push(args);
  class Api {
    @spy async get() {}
  }
  expect(seen).toEqual([[Api.prototype, "get", expect.objectContaining({ value: Api.prototype.get })]]);
});

describe("a method decorated with throttled", () => {
  test("keeps `this`, arguments, answer, name, length and descriptor", async () => {
    const { options } = setUp();
    class Api {
      base = 10;
      @throttled(options)
      async sum(one: number, ...rest: number[]) {
        return rest.reduce((sum, n) => sum + n, this.base + one);
      }
      async plain() {}
    }
    expect(await new Api().sum(1, 2, 3)).toBe(16);
    expect([Api.prototype.sum.name, Api.prototype.sum.length]).toEqual(["sum", 1]);
    const { value: _, ...descriptor } = Object.getOwnPropertyDescriptor(Api.prototype, "sum") ?? {};
    const { value: __, ...plain } = Object.getOwnPropertyDescriptor(Api.prototype, "plain") ?? {};
    expect(descriptor).toEqual(plain);
  });

  test("uses ClassName.method as key, for instances, statics and symbols", async () => {
    const { options, left } = setUp();
    const signed = Symbol("signed");
    class Api {
      @throttled(options) async get() {}
      @throttled(options) static async make() {}
      @throttled(options) async [signed]() {}
    }
    await Promise.all([new Api().get(), new Api().get(), Api.make(), new Api()[signed]()]);
    expect(["get", "make", "signed"].map((name) => left(`Api.${name}`))).toEqual([8, 9, 9]);
  });

  test("is charged to the class that declares it, also when a subclass calls or overrides it", async () => {
    const { options, left } = setUp();
    class Base {
      @throttled(options) async get() {
        return "base";
      }
    }
    class Inherits extends Base {}
    class Overrides extends Base {
      @throttled(options) override async get() {
        return `over ${await super.get()}`;
      }
    }
    await new Inherits().get();
    expect(await new Overrides().get()).toBe("over base");
    expect([left("Base.get"), left("Overrides.get")]).toEqual([8, 9]);
  });

  test("takes key and cost as values, or computed from arguments and `this`", async () => {
    const { options, limiter, left } = setUp();
    class Api {
      tenant = "acme";
      @throttled({
        ...options,
        key(this: Api, id: string) {
          return `${this.tenant}:${id}`;
        },
      })
      async get(_id: string) {}
      @throttled(limiter, { cost: (size: number) => size }) async put(_size: number) {}
    }
    await new Api().get("42");
    await new Api().put(7);
    expect([left("acme:42"), left("Api.put")]).toEqual([9, 3]);
  });

  test("rejects with a LimitedError and runs nothing when it is limited", async () => {
    const ran = vi.fn();
    class Api {
      @throttled({ quota: "1/h", store: new MemoryStore({ clock: new ManualClock() }) }) async get() {
        ran();
      }
    }
    await new Api().get();
    await expect(new Api().get()).rejects.toThrow(LimitedError);
    expect(ran).toHaveBeenCalledTimes(1);
  });

  test("keeps the metadata that frameworks put on methods, whichever decorator comes first", () => {
    const { options } = setUp();
    const route = (path: string) => (_target: object, _name: string, descriptor: PropertyDescriptor) =>
      Reflect.defineMetadata("path", path, descriptor.value);
    class Api {
      @throttled(options) @route("/below") async below() {}
      @route("/above") @throttled(options) async above() {}
    }
    expect(Reflect.getMetadata("path", Api.prototype.below)).toBe("/below");
    expect(Reflect.getMetadata("path", Api.prototype.above)).toBe("/above");
  });
});

test("a method decorated with throttledSync answers at once or throws a LimitedError", () => {
  const store = new MemoryStore({ clock: new ManualClock() });
  class Api {
    base = 40;
    @throttledSync({ quota: "1/h", store }) add(n: number) {
      return this.base + n;
    }
    @throttledSync({ quota: "1/h", store }) static make() {
      return "made";
    }
  }
  expect(new Api().add(2)).toBe(42);
  expect(Api.make()).toBe("made");
  expect(() => new Api().add(2)).toThrow(LimitedError);
  expect(() => Api.make()).toThrow(LimitedError);
});

describe("a decorator in the wrong place", () => {
  const message = /^Expected `target` to be a method, got /;

  test("is a TypeError: on a getter", () => {
    const define = (): void => {
      class Api {
        // @ts-expect-error: a getter is no method.
        @throttled({ quota: "1/s" }) get value() {
          return 1;
        }
      }
      new Api();
    };
    expect(define).toThrow(TypeError);
    expect(define).toThrow(message);
  });

  test("is a TypeError: on a property", () => {
    const define = (): void => {
      class Api {
        // @ts-expect-error: a property is no method.
        @throttled({ quota: "1/s" }) value = async () => {};
      }
      new Api();
    };
    expect(define).toThrow(TypeError);
    expect(define).toThrow(message);
  });

  test("is a TypeError: on a class", () => {
    const define = (): void => {
      // @ts-expect-error: a class is no method.
      @throttled({ quota: "1/s" })
      class Api {}
      new Api();
    };
    expect(define).toThrow(TypeError);
    expect(define).toThrow(/^Expected `(fn|target)` to be /);
  });
});
