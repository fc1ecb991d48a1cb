import { describe, expect, test } from "vitest";
import { Limiter } from "../../src/algorithms/limiter.js";
import { MemoryStore } from "../../src/stores/memory-store.js";
import { ManualClock } from "../../src/testing/manual-clock.js";
import { ALIGNED } from "../algorithms/single-key.js";
import { ALGORITHMS } from "../support/algorithms.js";

const MAX_SIZE = 10_000;

/** A full store has a round of keys to weigh: so many new ones must come before it weighs the same key again. */
const ROUND = MAX_SIZE / 8;

/** New keys that come in a millisecond, as fast as one process decides. */
const PER_MS = 1_000;

/** One limiter on a store under a flood of new keys. */
class Flood {
  readonly clock = new ManualClock(ALIGNED);
  readonly store = new MemoryStore({ maxSize: MAX_SIZE, clock: this.clock });
  readonly limiter: Limiter;
  #keys = 0;

  constructor(using: (typeof ALGORITHMS)[number], quota: string) {
    this.limiter = new Limiter(using, quota);
  }

  /** Calls on a key, one for each cost; answers with how many units passed. */
  call(key: string, ...costs: readonly number[]): number {
    const passed = costs.filter((cost) => !this.store.decide(this.limiter, key, cost, 0).limited);
    return passed.reduce((sum, cost) => sum + cost, 0);
  }

  left(key: string): number {
    return this.store.decide(this.limiter, key, 0, 0).remaining;
  }

  /** As many new keys, each with calls of these costs. */
  noise(count: number, ...costs: readonly number[]): void {
    let size = 0;
    for (const end = this.#keys + count; this.#keys < end; this.#keys++) {
      if (this.#keys % PER_MS === 0) this.clock.advance(1);
      for (const cost of costs) this.store.decide(this.limiter, `noise${this.#keys}`, cost, 0);
      size = Math.max(size, this.store.size);
    }
    expect(size).toBeLessThanOrEqual(MAX_SIZE);
  }
}

test("a flood of a million keys leaves keys that have less left as they are", () => {
  const flood = new Flood("sliding-window", "6/d");
  flood.call("limited", 5, 2, 1, 1);
  flood.call("half-used", 3);
  flood.noise(1_000_000, 1);
  expect(["limited", "half-used"].map((key) => flood.left(key))).toEqual([0, 3]);
});

describe.each(ALGORITHMS)("%s: a flood of", (using) => {
  test.each<[string, number, number[]]>([
    ["200,000 keys, one call each", 200_000, [1]],
    ["50,000 keys, two calls each", 50_000, [1, 1]],
  ])("%s, leaves keys that have less left as they are", (_, count, costs) => {
    const flood = new Flood(using, "6/d");
    flood.call("limited", 5, 2, 1, 1);
    flood.call("half-used", 3);
    flood.call("just used up", 6);
    flood.noise(count, ...costs);
    expect(flood.store.size).toBe(MAX_SIZE);
    expect(["limited", "half-used", "just used up"].map((key) => flood.left(key))).toEqual([0, 3, 0]);
    flood.call("half-used", 3);
    flood.noise(count / 10, ...costs);
    expect(["limited", "half-used", "just used up"].map((key) => flood.call(key, 1))).toEqual([0, 0, 0]);
  });

  test.each([
    ["used up", [6]],
    ["refused", [6, 1]],
  ])("50,000 keys that are %s leaves a key that is limited as it is", (_, costs) => {
    const flood = new Flood(using, "6/d");
    flood.call("limited", 6, 1);
    flood.noise(50_000, ...costs);
    expect(flood.call("limited", 1)).toBe(0);
  });

  test("300,000 keys, where one call uses a key up, leaves the keys that came before as they are", () => {
    const flood = new Flood(using, "1/d");
    flood.call("limited", 1, 1);
    flood.call("used up", 1);
    flood.noise(300_000, 1);
    expect(flood.call("limited", 1, 1)).toBe(0);
    expect(flood.call("used up", 1)).toBe(0);
  });
});

describe("a full store", () => {
  test("keeps what keys have used that came among others in no order", () => {
    const flood = new Flood("token-bucket", "6/d");
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const users: string[] = [];
    while (flood.store.size < MAX_SIZE) {
      if (random() > 0.2) flood.noise(1, 1);
      else flood.call(`user${users.push(`user${users.length}`) - 1}`, 3);
    }
    flood.noise(200_000, 1);
    expect(users.length).toBeGreaterThan(1_500);
    expect(users.filter((user) => flood.left(user) > 3)).toEqual([]);
  });

  test("keeps what keys have used that came one after the other", () => {
    const flood = new Flood("token-bucket", "6/d");
    const users = Array.from({ length: MAX_SIZE / 2 }, (_, i) => `user${i}`);
    for (const user of users) flood.call(user, 3);
    flood.noise(200_000, 1);
    expect(users.filter((user) => flood.left(user) > 3)).toEqual([]);
  });

  test("keeps what is used of a long quota while a short one beside it has all left", () => {
    const flood = new Flood("token-bucket", "10/s; 1000/d");
    for (let second = 0; second < 90; second++) {
      flood.call("heavy user", 10);
      flood.clock.advance(1_000);
    }
    flood.noise(50_000, 1);
    let passed = 0;
    for (let second = 0; second < 20; second++) {
      flood.clock.advance(1_000);
      passed += flood.call("heavy user", 10);
    }
    expect(passed).toBe(100);
  });

  // What has to give way where no key has more left than those that must not be forgotten.
  test.each<[string, number[]]>([
    ["used up", [1]],
    ["refused", [1, 1]],
  ])("of keys that are all %s keeps seven of eight, however many more come", (_, costs) => {
    const flood = new Flood("token-bucket", "1/d");
    const users = Array.from({ length: MAX_SIZE }, (_, i) => `user${i}`);
    for (const user of users) flood.call(user, ...costs);
    flood.noise(300_000, ...costs);
    expect(users.filter((user) => flood.left(user) > 0)).toHaveLength(MAX_SIZE / 8);
  });

  // Known limits: what is told apart from the flood by nothing, or for the worse, is lost to it.
  test.fails("keeps keys that are used up, but were never refused, in a flood of keys that were refused", () => {
    const flood = new Flood("token-bucket", "1/d");
    flood.call("used up", 1);
    flood.noise(50_000, 1, 1);
    expect(flood.call("used up", 1)).toBe(0);
  });

  test.fails("keeps half-used keys in a flood of keys that are used up", () => {
    const flood = new Flood("token-bucket", "6/d");
    flood.call("half-used", 3);
    flood.noise(50_000, 6);
    expect(flood.left("half-used")).toBe(3);
  });
});

describe("a key that comes amid a flood of keys that use as much", () => {
  test.each([1, 2, 3, 5, 8, 20, 100, ROUND / 2, ROUND - 1])(
    "is limited, with %i others between its calls",
    (others) => {
      const flood = new Flood("token-bucket", "6/d");
      flood.noise(MAX_SIZE + 5_000, 1);
      let passed = 0;
      for (let call = 0; call < 50; call++) {
        passed += flood.call("key", 1);
        flood.noise(others, 1);
      }
      // Once in its life it may be the youngest whose turn it is.
      expect(passed).toBeLessThanOrEqual(7);
    },
  );

  test.each([8, ROUND, 10_000])(
    "stays limited once it is refused, with %i others between its calls",
    (others) => {
      const flood = new Flood("token-bucket", "6/d");
      flood.noise(MAX_SIZE + 5_000, 1);
      expect(flood.call("key", 6, 1)).toBe(6);
      for (let call = 0; call < 20; call++) {
        flood.noise(others, 1);
        expect(flood.call("key", 1)).toBe(0);
      }
    },
  );
});
