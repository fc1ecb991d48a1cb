import "reflect-metadata";
import { describe, expect, test, vi } from "vitest";
import {
  isLimitedError,
  LimitedError,
  MemoryStore,
  Throttled,
  throttled,
  throttledSync,
} from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { pass } from "./support/manual-time.js";

/** A store, and what is left of a key under 10 an hour. */
function setUp() {
  const store = new MemoryStore({ clock: new ManualClock() });
  const limiter = new Throttled({ quota: "10/h", store });
  return {
    store,
    limiter,
    options: { quota: "10/h", store },
    left: (key: string) => limiter.peekSync(key).remaining,
  };
}

describe("a method decorated with throttled", () => {
  test("keeps `this`, arguments, answer, name and length", async () => {
    const { options } = setUp();
    class Api {
      base = 10;
      @throttled(options)
      async sum(one: number, ...rest: number[]) {
        return rest.reduce((sum, n) => sum + n, this.base + one);
      }
    }
    expect(await new Api().sum(1, 2, 3)).toBe(16);
    expect([Api.prototype.sum.name, Api.prototype.sum.length]).toEqual(["sum", 1]);
  });

  test("uses ClassName.method as key, for instances, statics and private methods", async () => {
    const { options, left } = setUp();
    const signed = Symbol("signed");
    class Api {
      @throttled(options) async get() {}
      @throttled(options) static async make() {}
      @throttled(options) async #hidden() {}
      @throttled(options) async [signed]() {}
      @throttled(options) async "with spaces"() {}
      async callHidden() {
        await this.#hidden();
      }
    }
    const api = new Api();
    await Promise.all([
      api.get(),
      new Api().get(),
      Api.make(),
      api.callHidden(),
      api[signed](),
      api["with spaces"](),
    ]);
    expect(left("Api.get")).toBe(8);
    for (const name of ["make", "#hidden", "signed", "with spaces"]) expect(left(`Api.${name}`)).toBe(9);
  });

  test("is charged to the class that declares it, also when a subclass calls or overrides it", async () => {
    const { options, left } = setUp();
    class Base {
      @throttled(options) async get() {
        return "base";
      }
      @throttled(options) static async make() {}
    }
    class Inherits extends Base {}
    class Overrides extends Base {
      @throttled(options) override async get() {
        return `over ${await super.get()}`;
      }
    }
    await new Base().get();
    await new Inherits().get();
    expect(await new Overrides().get()).toBe("over base");
    await Inherits.make();
    expect([left("Base.get"), left("Overrides.get"), left("Base.make")]).toEqual([7, 9, 9]);
  });

  test("is charged to the class that declares it, also if only a subclass is ever made", async () => {
    const { options, left } = setUp();
    class Base {
      @throttled(options) async get() {
        return "base";
      }
    }
    class Plain extends Base {
      override async get() {
        return `plain ${await super.get()}`;
      }
    }
    expect(await new Plain().get()).toBe("plain base");
    expect(left("Base.get")).toBe(9);
  });

  test("is charged to the class furthest up under a decorator that puts another method in its place", async () => {
    const { options, left } = setUp();
    const other = (method: () => Promise<void>) => async () => method();
    class Base {
      @other @throttled(options) async get() {}
    }
    class Inherits extends Base {}
    await new Inherits().get();
    expect(left("Base.get")).toBe(9);
  });

  test("takes key and cost as values, or computed from arguments and `this`", async () => {
    const { options, left } = setUp();
    class Api {
      tenant = "acme";
      @throttled({ ...options, key: "fixed", cost: 2 }) async fixed() {}
      @throttled({
        ...options,
        key(this: Api, id: string) {
          return `${this.tenant}:${id}`;
        },
        cost: (_id: string, size: number) => size,
      })
      async get(_id: string, _size: number) {}
    }
    await new Api().fixed();
    await new Api().get("42", 7);
    expect([left("fixed"), left("acme:42")]).toEqual([8, 3]);
  });

  test("rejects with a LimitedError and runs nothing when it is limited", async () => {
    const ran = vi.fn();
    class Api {
      @throttled({ quota: "1/h", store: new MemoryStore({ clock: new ManualClock() }) }) async get() {
        ran();
      }
    }
    await new Api().get();
    const error = await new Api().get().catch((error: unknown) => error);
    expect(isLimitedError(error) && error.key).toBe("Api.get");
    expect(ran).toHaveBeenCalledTimes(1);
  });

  test("waits for its turn as long as its timeout allows", async () => {
    const clock = new ManualClock();
    const store = new MemoryStore({ clock });
    const moments: number[] = [];
    const start = clock.now();
    class Api {
      @throttled({ quota: "1/s", store, timeout: "1s" }) async get() {
        moments.push(clock.now() - start);
      }
    }
    const calls = [new Api().get(), new Api().get(), new Api().get()];
    await expect(calls[2]).rejects.toThrow(LimitedError);
    await pass(clock, 1_000);
    expect(moments).toEqual([0, 1_000]);
  });

  test("gets its cost back when it fails and says so", async () => {
    const { options, left } = setUp();
    class Api {
      @throttled({ ...options, key: "fails", refundOnError: true }) async fails() {
        throw new Error("failed");
      }
    }
    await expect(new Api().fails()).rejects.toThrow("failed");
    expect(left("fails")).toBe(10);
  });

  test("shares a limiter that it is given, and its key, cost and timeout", async () => {
    const { store, left } = setUp();
    const shared = new Throttled({ quota: "10/h", store, cost: 3 });
    const keyed = new Throttled({ quota: "10/h", store, key: "shared" });
    class Api {
      @throttled(shared) async one() {}
      @throttled(shared, { cost: 2 }) async two() {}
      @throttled(shared, { key: "three" }) async three() {}
      @throttled(keyed) async four() {}
      @throttled(keyed, { key: "five" }) async five() {}
    }
    const api = new Api();
    await Promise.all([api.one(), api.two(), api.three(), api.four(), api.five()]);
    expect(["Api.one", "Api.two", "three", "shared", "five"].map(left)).toEqual([7, 8, 7, 9, 9]);
  });

  test("keeps the metadata that frameworks put on methods, whichever decorator comes first", () => {
    const { options } = setUp();
    const route =
      (path: string) => (method: (...args: never[]) => unknown, _context: ClassMethodDecoratorContext) =>
        Reflect.defineMetadata("path", path, method);
    class Api {
      @throttled(options) @route("/below") async below() {}
      @route("/above") @throttled(options) async above() {}
    }
    expect(Reflect.getMetadata("path", Api.prototype.below)).toBe("/below");
    expect(Reflect.getMetadata("path", Api.prototype.above)).toBe("/above");
  });

  test("can be called without its class, under its own name", async () => {
    const { options, left } = setUp();
    class Api {
      @throttled(options) async get() {}
    }
    const { get } = Api.prototype;
    await get.call(undefined as unknown as Api);
    expect(left("get")).toBe(9);
  });
});

describe("a method decorated with throttledSync", () => {
  test("answers at once or throws a LimitedError", () => {
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
    expect([Api.prototype.add.name, Api.prototype.add.length]).toEqual(["add", 1]);
    expect(new Throttled({ quota: "1/h", store }).peekSync("Api.add").remaining).toBe(0);
  });

  test("shares a limiter that it is given", () => {
    const { limiter, left } = setUp();
    class Api {
      @throttledSync(limiter, { key: (id: string) => id, cost: 4 }) get(id: string) {
        return id;
      }
    }
    expect(new Api().get("42")).toBe("42");
    expect(left("42")).toBe(6);
  });
});
