import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, test } from "vitest";
import {
  type Algorithm,
  Limiter,
  MemoryStore,
  type Quota,
  type State,
  Throttled,
} from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { ManualClock } from "../../../src/testing.js";

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

/** A budget that never comes back before a period without any use has passed. */
class Cooldown implements Algorithm {
  static readonly algorithmName: string = "cooldown";
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs = 0;
  readonly fresh: State = [0, 0];

  constructor({ limit, periodMs }: Quota) {
    this.capacity = limit;
    this.refillMs = periodMs;
  }

  /** How much was used, and how long the key has to rest from now on. */
  advance([used = 0, rest = 0]: State, from: number, to: number): State {
    const left = rest - (to - from);
    return left > 0 ? [used, left] : [0, 0];
  }

  wait([used = 0, rest = 0]: State, _now: number, cost: number): number {
    if (cost > this.capacity) return Number.POSITIVE_INFINITY;
    return used + cost <= this.capacity ? 0 : rest;
  }

  charge([used = 0]: State, _now: number, cost: number): State {
    const next = Math.max(used + cost, 0);
    return next === 0 ? [0, 0] : [next, this.refillMs];
  }

  exhaust([used = 0]: State): State {
    return [Math.max(used, this.capacity), this.refillMs];
  }

  remaining([used = 0]: State): number {
    return Math.max(this.capacity - used, 0);
  }

  resetAfterMs([, rest = 0]: State): number {
    return rest;
  }
}

class CooldownOnRedis extends Cooldown {
  static override readonly algorithmName = "cooldown-on-redis";
  static readonly lua: string = `
local algorithm = { size = 2 }

function algorithm.new(limit, periodMs)
  return { capacity = limit, refillMs = periodMs, horizonMs = 0 }
end

function algorithm.advance(self, state, from, to)
  local left = state[2] - (to - from)
  if left > 0 then return { state[1], left } end
  return { 0, 0 }
end

function algorithm.wait(self, state, now, cost)
  if cost > self.capacity then return math.huge end
  if state[1] + cost <= self.capacity then return 0 end
  return state[2]
end

function algorithm.charge(self, state, now, cost)
  local used = math.max(state[1] + cost, 0)
  if used == 0 then return { 0, 0 } end
  return { used, self.refillMs }
end

function algorithm.exhaust(self, state)
  return { math.max(state[1], self.capacity), self.refillMs }
end

function algorithm.remaining(self, state)
  return math.max(self.capacity - state[1], 0)
end

function algorithm.resetAfterMs(self, state)
  return state[2]
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
  test("decides on the server as it does in memory", async () => {
    const clock = new ManualClock();
    const memory = new MemoryStore({ clock });
    const store = new RedisStore(redis, { prefix: randomUUID(), clock });
    for (const quota of ["3/m", "3/m; 5/h"]) {
      const limiter = new Limiter(CooldownOnRedis, quota);
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
  });

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
