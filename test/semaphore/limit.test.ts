import "reflect-metadata";
import { describe, expect, test } from "vitest";
import { LimitedError } from "../../src/index.js";
import { turn } from "../support/manual-time.js";
import { onManualClock } from "../support/semaphores.js";

/** A function that runs until it is told to end. */
function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

describe("a method decorated with limit", () => {
  test("runs at most as often at once as there are permits; a further call rejects and runs nothing", async () => {
    const { semaphore } = onManualClock({ capacity: 2 });
    const { opened, open } = gate();
    let runs = 0;
    class Api {
      @semaphore.limit()
      async export() {
        runs++;
        await opened;
      }
    }
    const calls = [new Api().export(), new Api().export()];
    await expect(new Api().export()).rejects.toThrow(LimitedError);
    expect([runs, (await semaphore.peek("Api.export")).inUse]).toEqual([2, 2]);
    open();
    await Promise.all(calls);
    await new Api().export();
    expect((await semaphore.peek("Api.export")).inUse).toBe(0);
  });

  test("keeps `this`, arguments, answer, name, length and metadata", async () => {
    const { semaphore } = onManualClock({ capacity: 1 });
    const route = (path: string) => (method: (...args: never[]) => unknown, _: ClassMethodDecoratorContext) =>
      Reflect.defineMetadata("path", path, method);
    class Api {
      base = 10;
      @semaphore.limit()
      @route("/sum")
      async sum(one: number, ...rest: number[]) {
        return rest.reduce((sum, n) => sum + n, this.base + one);
      }
    }
    expect(await new Api().sum(1, 2, 3)).toBe(16);
    expect([Api.prototype.sum.name, Api.prototype.sum.length]).toEqual(["sum", 1]);
    expect(Reflect.getMetadata("path", Api.prototype.sum)).toBe("/sum");
  });

  test("takes key and permits as values, or computed from arguments and `this`", async () => {
    const { semaphore } = onManualClock({ capacity: 5 });
    const seen: unknown[] = [];
    class Api {
      tenant = "acme";
      @semaphore.limit({ key: "fixed", permits: 2 }) async fixed() {
        seen.push((await semaphore.peek("fixed")).inUse);
      }
      @semaphore.limit({
        key(this: Api, id: string) {
          return `${this.tenant}:${id}`;
        },
        permits: (_id: string, size: number) => size,
      })
      async get(id: string, _size: number) {
        seen.push((await semaphore.peek(`acme:${id}`)).inUse);
      }
    }
    await new Api().fixed();
    await new Api().get("42", 4);
    expect(seen).toEqual([2, 4]);
    await expect(new Api().get("42", 6)).rejects.toThrow(LimitedError);
    await expect(new Api().get("42", 0)).rejects.toThrow(
      "Expected `permits` to be a positive integer, got 0",
    );
  });

  test("waits for its turn as long as its timeout, or that of the semaphore, allows", async () => {
    const { semaphore, pass } = onManualClock({ capacity: 1, timeout: "1s" });
    const { opened, open } = gate();
    class Api {
      @semaphore.limit({ key: "key" }) async first() {
        await opened;
        return "first";
      }
      @semaphore.limit({ key: "key" }) async hasty() {
        return "hasty";
      }
      @semaphore.limit({ key: "key", timeout: "1h" }) async patient() {
        return "patient";
      }
    }
    const api = new Api();
    const first = api.first();
    const hasty = api.hasty().catch((error: Error) => error.name);
    const patient = api.patient();
    await pass(1_000);
    expect(await hasty).toBe("LimitedError");
    open();
    expect(await Promise.all([first, patient])).toEqual(["first", "patient"]);
  });

  test("gives the permit back when it throws", async () => {
    const { semaphore } = onManualClock({ capacity: 1 });
    class Api {
      @semaphore.limit() async fails() {
        throw new Error("failed");
      }
    }
    for (let i = 0; i < 2; i++) await expect(new Api().fails()).rejects.toThrow("failed");
  });

  test("shares the own key of its semaphore with all others under it", async () => {
    const { semaphore } = onManualClock({ capacity: 1, key: "all" });
    const { opened, open } = gate();
    class Api {
      @semaphore.limit() async one() {
        await opened;
      }
      @semaphore.limit() static async other() {}
      @semaphore.limit({ key: "apart" }) static async apart() {}
    }
    const one = new Api().one();
    await expect(Api.other()).rejects.toThrow(LimitedError);
    await Api.apart();
    open();
    await one;
    await Api.other();
  });
});

describe("a function wrapped with limit", () => {
  test("runs under its own name, and keeps `this`, arguments and answer", async () => {
    const { semaphore } = onManualClock({ capacity: 1 });
    const { opened, open } = gate();
    const limited = semaphore.limit()(async function load(this: { base: number }, n: number) {
      await opened;
      return this.base + n;
    });
    const call = limited.call({ base: 40 }, 2);
    await turn();
    expect(await semaphore.peek("load")).toMatchObject({ inUse: 1 });
    open();
    expect(await call).toBe(42);
    expect([limited.name, limited.length]).toEqual(["load", 1]);
  });

  test("without a name needs a key", () => {
    const { semaphore } = onManualClock({ capacity: 1 });
    expect(() => semaphore.limit()(async () => {})).toThrow(
      new TypeError("Expected `key` to be given for a function without a name"),
    );
    expect(semaphore.limit({ key: "key" })(async () => {})).toBeTypeOf("function");
  });
});
