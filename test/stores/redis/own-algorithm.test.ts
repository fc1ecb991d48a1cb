import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, test } from "vitest";
import {
  type Algorithm,
  Limiter,
  MemoryStore,
  type Numbers,
  type Quota,
  Throttled,
} from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { ManualClock } from "../../../src/testing.js";

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

/** A budget that never comes back before a period without any use has passed: how much was used, and how long the key has to rest. */
class Cooldown implements Algorithm {
  static readonly algorithmName: string = "cooldown";
  readonly size = 2;
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs = 0;

  constructor({ limit, periodMs }: Quota) {
    this.capacity = limit;
    this.refillMs = periodMs;
  }

  advance(numbers: Numbers, i: number, from: number, now: number): void {
    const used = this.#used(numbers, i, from, now);
    numbers[i + 1] = used > 0 ? numbers[i + 1]! - (now - from) : 0;
    numbers[i] = used;
  }

  wait(numbers: Numbers, i: number, from: number, now: number, cost: number): number {
    if (cost > this.capacity) return Number.POSITIVE_INFINITY;
    return this.#used(numbers, i, from, now) + cost <= this.capacity ? 0 : numbers[i + 1]! - (now - from);
  }

  charge(numbers: Numbers, i: number, from: number, now: number, cost: number): void {
    numbers[i] = Math.max(this.#used(numbers, i, from, now) + cost, 0);
    numbers[i + 1] = numbers[i] === 0 ? 0 : this.refillMs;
  }

  exhaust(numbers: Numbers, i: number): void {
    numbers[i] = Math.max(numbers[i]!, this.capacity);
    numbers[i + 1] = this.refillMs;
  }

  remaining(numbers: Numbers, i: number, from: number, now: number): number {
    return Math.max(this.capacity - this.#used(numbers, i, from, now), 0);
  }

  resetAfterMs(numbers: Numbers, i: number, from: number, now: number): number {
    return Math.max(numbers[i + 1]! - (now - from), 0);
  }

  #used(numbers: Numbers, i: number, from: number, now: number): number {
    return numbers[i + 1]! > now - from ? numbers[i]! : 0;
  }
}

class CooldownOnRedis extends Cooldown {
  static override readonly algorithmName: string = "cooldown-on-redis";
  static readonly lua: string = `
local algorithm = { size = 2 }

function algorithm.new(limit, periodMs)
  return { capacity = limit, refillMs = periodMs, horizonMs = 0 }
end

local function usedOf(numbers, i, from, now)
  if numbers[i + 1] > now - from then return numbers[i] end
  return 0
end

function algorithm.advance(self, numbers, i, from, now)
  local used = usedOf(numbers, i, from, now)
  numbers[i + 1] = used > 0 and numbers[i + 1] - (now - from) or 0
  numbers[i] = used
end

function algorithm.wait(self, numbers, i, from, now, cost)
  if cost > self.capacity then return math.huge end
  if usedOf(numbers, i, from, now) + cost <= self.capacity then return 0 end
  return numbers[i + 1] - (now - from)
end

function algorithm.charge(self, numbers, i, from, now, cost)
  numbers[i] = math.max(usedOf(numbers, i, from, now) + cost, 0)
  numbers[i + 1] = numbers[i] == 0 and 0 or self.refillMs
end

function algorithm.exhaust(self, numbers, i)
  numbers[i] = math.max(numbers[i], self.capacity)
  numbers[i + 1] = self.refillMs
end

function algorithm.resetAfterMs(self, numbers, i, from, now)
  return math.max(numbers[i + 1] - (now - from), 0)
end
`;
}

/** The same, whose equal calls may be charged at once, in the names that the script has for what is in `math`. */
class AdditiveCooldown extends CooldownOnRedis {
  static override readonly algorithmName: string = "cooldown-additive";
  static override readonly lua: string =
    `${CooldownOnRedis.lua.replaceAll("math.", "")}\nalgorithm.additive = true\n`;
}

/** The same, which decides and charges in one step. */
class SpendingCooldown extends CooldownOnRedis {
  static override readonly algorithmName: string = "cooldown-spending";
  static override readonly lua: string = `${CooldownOnRedis.lua}
function algorithm.spend(self, numbers, i, from, now, cost)
  local wait = algorithm.wait(self, numbers, i, from, now, cost)
  if wait == 0 then algorithm.charge(self, numbers, i, from, now, cost) end
  return wait
end
`;
}

test("an algorithm without `lua` is refused by name, and nothing is stored", async () => {
  const prefix = randomUUID();
  const throttle = new Throttled({ using: Cooldown, store: new RedisStore(redis, { prefix }), quota: "3/m" });
  const refusal = new TypeError(
    'Expected the algorithm "cooldown" to have a twin in `lua`, which RedisStore needs',
  );
  await expect(throttle.limit("key")).rejects.toThrow(refusal);
  await expect(throttle.peek("key")).rejects.toThrow(refusal);
  expect(await redis.exists(`${prefix}:cooldown:3/60000/3:key`)).toBe(0);
});

test("an algorithm without `lua` works in memory", async () => {
  const throttle = new Throttled({ using: Cooldown, store: new MemoryStore(), quota: "3/m" });
  expect(await throttle.limit("key", 3)).toMatchObject({ limited: false, remaining: 0 });
});

describe("an algorithm with `lua`", () => {
  test.each([CooldownOnRedis, SpendingCooldown])(
    "decides on the server as it does in memory: $algorithmName",
    async (using) => {
      const clock = new ManualClock();
      const memory = new MemoryStore({ clock });
      const store = new RedisStore(redis, { prefix: randomUUID(), clock });
      for (const quota of ["3/m", "3/m; 5/h"]) {
        const limiter = new Limiter(using, quota);
        const steps = [
          [1, 0],
          [1, 10_000],
          [2, 0],
          [1, 59_999],
          [1, 1],
          [-1, 0],
          [4, 0],
          [2, 60_000],
          [0, 0],
          [3, 3_600_000],
          [-9, 0],
        ] as const;
        for (const [cost, laterMs] of steps) {
          const expected = memory.decide(limiter, "key", cost, 0);
          expect(await store.decide(limiter, "key", cost, 0), `cost ${cost} of ${quota}`).toEqual(expected);
          clock.advance(laterMs);
        }
      }
    },
  );

  test.each([CooldownOnRedis, AdditiveCooldown, SpendingCooldown])(
    "decides about calls of one tick as if they came one by one: $algorithmName",
    async (using) => {
      const clock = new ManualClock();
      const memory = new MemoryStore({ clock });
      const store = new RedisStore(redis, { prefix: randomUUID(), clock });
      for (const quota of ["9/m", "9/m; 12/h"]) {
        const limiter = new Limiter(using, quota);
        for (const costs of [
          [2, 2, 2],
          [0, 4, 1, 1, 1, 1, 1],
          [-1, -1, 2, 2],
          [10, 1],
          [-20, 3, 3, 3, 3],
        ]) {
          const actual = await Promise.all(costs.map((cost) => store.decide(limiter, "key", cost, 0)));
          expect(actual).toEqual(costs.map((cost) => memory.decide(limiter, "key", cost, 0)));
          clock.advance(30_000);
        }
      }
    },
  );

  test("uses the server's clock, and its keys have a TTL", async () => {
    const prefix = randomUUID();
    const throttle = new Throttled({
      using: CooldownOnRedis,
      store: new RedisStore(redis, { prefix }),
      quota: "3/m",
    });
    expect(await throttle.limit("key", 3)).toMatchObject({ limited: false, resetAfterMs: 60_000 });
    const left = await redis.pttl(`${prefix}:cooldown-on-redis:3/60000/3:key`);
    expect(left).toBeGreaterThan(55_000);
    expect(left).toBeLessThanOrEqual(61_000);
    expect(await throttle.limit("key")).toMatchObject({ limited: true });
  });

  test("that does not compile on the server is a StoreError", async () => {
    class Broken extends CooldownOnRedis {
      static override readonly lua = "local algorithm = {";
    }
    const throttle = new Throttled({ using: Broken, store: new RedisStore(redis), quota: "3/m" });
    await expect(throttle.limit("key")).rejects.toMatchObject({
      name: "StoreError",
      message: expect.stringContaining("Error compiling script"),
    });
  });
});
