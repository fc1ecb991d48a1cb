import { describe, expect, test } from "vitest";
import type { Algorithm, AlgorithmType, Numbers } from "../../src/algorithms/algorithm.js";
import { Gcra } from "../../src/algorithms/gcra.js";
import { LeakyBucket } from "../../src/algorithms/leaky-bucket.js";
import { type AlgorithmName, Limiter } from "../../src/algorithms/limiter.js";
import { TokenBucket } from "../../src/algorithms/token-bucket.js";
import type { Quota } from "../../src/quota.js";
import { MemoryStore } from "../../src/stores/memory-store.js";
import { ManualClock } from "../../src/testing/manual-clock.js";
import { SingleKey } from "./single-key.js";

/** One call of up to `limit` units, then none for a whole period. The state is how much of that is left. */
class Cooldown implements Algorithm {
  static readonly algorithmName: string = "cooldown";
  readonly size = 1;
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs = 2 ** 50;

  constructor({ limit, periodMs }: Quota) {
    this.capacity = limit;
    this.refillMs = periodMs;
  }

  advance(numbers: Numbers, i: number, from: number, now: number): void {
    numbers[i] = this.resetAfterMs(numbers, i, from, now);
  }

  wait(numbers: Numbers, i: number, from: number, now: number, cost: number): number {
    return cost > this.capacity ? Number.POSITIVE_INFINITY : this.resetAfterMs(numbers, i, from, now);
  }

  charge(numbers: Numbers, i: number, from: number, now: number, cost: number): void {
    numbers[i] = cost < 0 ? 0 : this.resetAfterMs(numbers, i, from, now) + this.refillMs;
  }

  exhaust(numbers: Numbers, i: number): void {
    numbers[i] = Math.max(numbers[i]!, this.refillMs);
  }

  remaining(numbers: Numbers, i: number, from: number, now: number): number {
    return this.resetAfterMs(numbers, i, from, now) > 0 ? 0 : this.capacity;
  }

  resetAfterMs(numbers: Numbers, i: number, from: number, now: number): number {
    return Math.max(numbers[i]! - (now - from), 0);
  }
}

/** The same, which spends in one step. */
class CooldownInOneStep extends Cooldown {
  static override readonly algorithmName = "cooldown-in-one-step";

  spend(numbers: Numbers, i: number, from: number, now: number, cost: number): number {
    const wait = this.wait(numbers, i, from, now, cost);
    if (wait === 0) this.charge(numbers, i, from, now, cost);
    return wait;
  }
}

/** The same, which knows how to take back a booking that is not the last one. */
class CooldownWithUnbook extends Cooldown {
  static override readonly algorithmName = "cooldown-with-unbook";

  unbook(numbers: Numbers, i: number, before: Numbers, after: Numbers): void {
    numbers[i] = Math.max(numbers[i]! - (after[i]! - before[i]!), 0);
  }
}

describe("an algorithm of one's own", () => {
  test("decides, with a name of its own in the id", () => {
    const clock = new ManualClock();
    const store = new MemoryStore({ clock });
    const limiter = new Limiter(Cooldown, "3/s");
    expect(limiter.id).toBe("cooldown:3/1000/3");
    expect(limiter.algorithm).toBe(Cooldown);
    expect(store.decide(limiter, "key", 2, 0)).toMatchObject({ limited: false, remaining: 0 });
    clock.advance(400);
    expect(store.decide(limiter, "key", 1, 0)).toMatchObject({ limited: true, retryAfterMs: 600 });
    expect(store.decide(limiter, "key", 4, 0)).toMatchObject({ limited: true, retryAfterMs: Infinity });
    expect(store.decide(limiter, "key", 1, 600)).toMatchObject({ booking: { waitMs: 600 } });
    clock.advance(1600);
    expect(store.decide(limiter, "key", 0, 0)).toMatchObject({ remaining: 3, resetAfterMs: 0 });
  });

  test("takes part in decisions over several quotas", () => {
    const store = new MemoryStore({ clock: new ManualClock() });
    const limiter = new Limiter(Cooldown, "5/s; 3/m");
    expect(store.decide(limiter, "key", 4, 0)).toMatchObject({ limited: true, quotaIndex: 1 });
    expect(store.decide(limiter, "key", 3, 0)).toMatchObject({ limited: false, quotaIndex: 0 });
    expect(store.decide(limiter, "key", 1, 0)).toMatchObject({ quotaIndex: 1, retryAfterMs: 60_000 });
  });

  test.each([
    ["one quota", "1/s"],
    ["several quotas", "1/s; 1/500ms"],
  ])("takes back a booking of %s by `unbook`, or without it by giving back its cost", (_, quota) => {
    const waits = [Cooldown, CooldownInOneStep, CooldownWithUnbook].map((using) => {
      const store = new MemoryStore({ clock: new ManualClock() });
      const limiter = new Limiter(using, quota);
      store.decide(limiter, "key", 1, 0);
      const { booking } = store.decide(limiter, "key", 1, 5_000);
      store.decide(limiter, "key", 1, 5_000);
      store.decide(limiter, "key", -1, 0, booking);
      return store.decide(limiter, "key", 1, 0).retryAfterMs;
    });
    // To give back a cost makes this key fresh, whoever came after the booking.
    expect(waits).toEqual([0, 0, 2_000]);
  });

  test("that throws after it charged leaves nothing behind for the next new key", () => {
    let throws = true;
    class Broken extends Cooldown {
      static override readonly algorithmName = "broken";
      override remaining(numbers: Numbers, i: number, from: number, now: number): number {
        if (throws) throw new Error("half way");
        return super.remaining(numbers, i, from, now);
      }
    }
    const store = new MemoryStore({ clock: new ManualClock() });
    const limiter = new Limiter(Broken, "3/s");
    expect(() => store.decide(limiter, "one", 1, 0)).toThrow("half way");
    throws = false;
    expect(store.decide(limiter, "other", 3, 0)).toMatchObject({ limited: false });
    expect(store.size).toBe(1);
  });
});

describe("`using`", () => {
  const names = '"fixed-window", "sliding-window", "token-bucket", "leaky-bucket", "gcra"';
  const refused = (using: unknown) => () => new Limiter(using as AlgorithmType, "5/s");

  test.each([
    ["bucket", '"bucket"'],
    ["Token-Bucket", '"Token-Bucket"'],
    ["toString", '"toString"'],
    ["__proto__", '"__proto__"'],
    ["", '""'],
    [7, "7"],
    [null, "null"],
    [undefined, "undefined"],
    [{ algorithmName: "mine" }, "an object"],
    [["gcra"], "an array"],
  ])("refuses %j", (using, shown) => {
    expect(refused(using)).toThrow(
      new TypeError(`Expected \`using\` to be one of ${names}, or an algorithm of your own, got ${shown}`),
    );
  });

  test.each([
    ["Cooldown", '"Cooldown"'],
    ["cool down", '"cool down"'],
    ["cool:down", '"cool:down"'],
    ["2-windows", '"2-windows"'],
    ["-cooldown", '"-cooldown"'],
    ["cooldown\n", '"cooldown\\u000a"'],
    ["", '""'],
    [7, "7"],
    [null, "null"],
    [undefined, "undefined"],
  ])("refuses an algorithm with the name %j", (algorithmName, shown) => {
    const using = class extends Cooldown {};
    Object.defineProperty(using, "algorithmName", { value: algorithmName });
    expect(refused(using)).toThrow(
      new TypeError(`Expected \`using.algorithmName\` to be a name in kebab case, got ${shown}`),
    );
  });

  test.each(["fixed-window", "sliding-window", "token-bucket", "leaky-bucket", "gcra"])(
    "refuses an algorithm with the name of a built-in one, %j",
    (algorithmName) => {
      const using = class extends Cooldown {
        static override readonly algorithmName = algorithmName;
      };
      expect(refused(using)).toThrow(
        new TypeError(`Expected \`using.algorithmName\` to be a name of its own, got "${algorithmName}"`),
      );
    },
  );

  test("takes a built-in algorithm that was extended, under a name of its own", () => {
    class Doubled extends TokenBucket {
      static override readonly algorithmName = "doubled";
      constructor({ limit, periodMs, burst }: Quota) {
        super({ limit, periodMs, burst: 2 * burst });
      }
    }
    expect(new Limiter(Doubled, "3/s").id).toBe("doubled:3/1000/3");
    expect(new Limiter(Doubled, "3/s").capacity(0)).toBe(6);
  });

  test.each<[AlgorithmType, AlgorithmName]>([
    [TokenBucket, "token-bucket"],
    [LeakyBucket, "leaky-bucket"],
    [Gcra, "gcra"],
  ])("takes %o for its name, and what extends it decides alike", (Base, name) => {
    class Mine extends Base {
      static override readonly algorithmName = "mine";
    }
    const [mine, base, named] = [Mine, Base, name].map((using) => {
      const key = new SingleKey(new Limiter(using, "10/s burst 3"));
      return [key.limiter.id, key.decide(2), key.decide(1, 5_000), key.decide(2, 5_000), key.peek()];
    });
    expect(base).toEqual(named);
    expect(mine).toEqual(["mine:10/1000/3", ...named!.slice(1)]);
  });

  test("refuses a function that is no algorithm", () => {
    expect(refused(() => {})).toThrow(
      new TypeError("Expected `using.algorithmName` to be a name in kebab case, got undefined"),
    );
  });
});
