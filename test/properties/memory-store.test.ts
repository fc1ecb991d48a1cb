import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Booking, type Decision, Limiter } from "../../src/algorithms/limiter.js";
import { MemoryStore } from "../../src/stores/memory-store.js";
import { ManualClock } from "../../src/testing/manual-clock.js";
import { ALIGNED, SingleKey } from "../algorithms/single-key.js";
import { visible } from "./player.js";

const RUNS = { numRuns: 150 };

/** Other keys, more than one table of a limiter holds. */
const CROWD = Array.from({ length: 16_400 }, (_, i) => `other${i}`);

const LIMITERS = [
  new Limiter("token-bucket", "5/s"),
  new Limiter("sliding-window", "3/10s"),
  new Limiter("gcra", "2/s; 9/m"),
  new Limiter("fixed-window", "4/m"),
  new Limiter("leaky-bucket", "3/s burst 6"),
];

interface Call {
  /** Which limiter, and which of its keys. */
  readonly at: number;
  readonly name: string;
  /** Below 0 the clock is set back. */
  readonly pauseMs: number;
  readonly kind: "decide" | "cancel" | "reset";
  readonly cost: number;
  readonly maxWaitMs: number;
}

function calls(limiters: number, keys: number, leastPauseMs = 0): fc.Arbitrary<Call[]> {
  const pauseMs = fc.integer({ min: leastPauseMs, max: 3_000 });
  return fc.array(
    fc.record({
      at: fc.nat(limiters - 1),
      name: fc.nat(keys - 1).map((i) => `key${i}`),
      pauseMs: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, pauseMs),
      kind: fc.oneof(
        { weight: 12, arbitrary: fc.constant("decide" as const) },
        fc.constantFrom("cancel" as const, "reset" as const),
      ),
      cost: fc.integer({ min: -2, max: 6 }),
      maxWaitMs: fc.constantFrom(0, 0, 0, 5_000, Number.POSITIVE_INFINITY),
    }),
    { maxLength: 100, size: "max" },
  );
}

/** A place that was booked: by the store, and by the key alone. */
interface Place {
  readonly cost: number;
  readonly ofStore: Booking;
  readonly ofKey: Booking;
}

/** A store beside a plain map of keys, to which the same happens. */
class Twins {
  readonly clock = new ManualClock(ALIGNED);
  readonly store: MemoryStore;
  /** Whether the store may forget keys that still say something. */
  readonly #forgets: boolean;
  /** What each key may be by all that was answered: one that may have been forgotten is fresh, or what it was. */
  readonly #keys = new Map<string, SingleKey[]>();
  readonly #places = new Map<string, Place[]>();

  constructor(maxSize: number, forgets: boolean) {
    this.store = new MemoryStore({ maxSize, clock: this.clock });
    this.#forgets = forgets;
  }

  /** How many keys say more than a fresh one now. */
  get live(): number {
    return [...this.#keys.values()].filter(([key]) => key!.record && key!.expiresAt > this.clock.now())
      .length;
  }

  /** Many keys come to a limiter, and go again. */
  crowd(at: number): void {
    for (const key of CROWD) this.store.decide(LIMITERS[at]!, key, 1, 0);
    for (const key of CROWD) this.store.reset(LIMITERS[at]!, key);
  }

  take({ at, name, pauseMs, kind, cost, maxWaitMs }: Call): void {
    this.clock.set(this.clock.now() + pauseMs);
    const limiter = LIMITERS[at]!;
    const id = `${limiter.id} ${name}`;
    const places = this.#places.get(id) ?? [];
    this.#places.set(id, places);
    if (kind === "reset") {
      this.store.reset(limiter, name);
      this.#keys.delete(id);
    } else if (kind === "decide") {
      const ofStore = this.store.decide(limiter, name, cost, maxWaitMs);
      const ofKey = this.#decide(limiter, id, ofStore, (key) => key.decide(cost, maxWaitMs));
      if (ofKey.booking) places.push({ cost, ofStore: ofStore.booking!, ofKey: ofKey.booking });
    } else if (!this.#forgets && places.length > 0) {
      const place = places.pop()!;
      const ofStore = this.store.decide(limiter, name, -place.cost, 0, place.ofStore);
      this.#decide(limiter, id, ofStore, (key) => key.decide(-place.cost, 0, place.ofKey));
    }
  }

  /** Asks whatever the key may be now, and leaves what answers as the store did. */
  #decide(limiter: Limiter, id: string, ofStore: Decision, ask: (key: SingleKey) => Decision): Decision {
    const keys = [...(this.#keys.get(id) ?? [])];
    if (keys.length === 0 || this.#forgets) keys.push(new SingleKey(limiter));
    const asked = keys.map((key) => {
      key.now = this.clock.now();
      return { key, decision: ask(key) };
    });
    const alike = asked.filter(({ decision }) => equal(visible(decision), visible(ofStore)));
    if (alike.length === 0) expect(visible(ofStore)).toEqual(visible(asked[0]!.decision));
    const different = new Map(alike.map(({ key }) => [JSON.stringify(key.record), key]));
    this.#keys.set(id, [...different.values()]);
    return alike[0]!.decision;
  }
}

function equal(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

describe("a MemoryStore", () => {
  test("answers for each key as if it were alone", () => {
    fc.assert(
      fc.property(calls(LIMITERS.length, 30), (list) => {
        const twins = new Twins(65_536, false);
        for (const call of list) twins.take(call);
        expect(twins.store.size).toBeGreaterThanOrEqual(twins.live);
        expect(twins.store.size).toBeLessThanOrEqual(list.length);
      }),
      RUNS,
    );
  });

  test.each([
    ["several tables", 65_536],
    ["as many tables as it gets", Number.MAX_SAFE_INTEGER],
  ])("does so before, while and after the keys of a limiter move to %s", (_, maxSize) => {
    const at = fc.nat(LIMITERS.length - 1);
    fc.assert(
      fc.property(calls(LIMITERS.length, 30), at, calls(LIMITERS.length, 30), (before, crowded, after) => {
        const twins = new Twins(maxSize, false);
        for (const call of before) twins.take(call);
        twins.crowd(crowded);
        for (const call of after) twins.take(call);
        expect(twins.store.size).toBeGreaterThanOrEqual(twins.live);
        expect(twins.store.size).toBeLessThanOrEqual(before.length + after.length);
      }),
      { numRuns: 30 },
    );
  });

  test("that is too small answers for each key as if it were alone, or fresh, and holds its bound", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), calls(LIMITERS.length, 12, -2_000), (maxSize, list) => {
        const twins = new Twins(maxSize, true);
        for (const call of list) {
          twins.take(call);
          expect(twins.store.size).toBeGreaterThanOrEqual(0);
          expect(twins.store.size).toBeLessThanOrEqual(maxSize);
        }
        for (const limiter of LIMITERS) {
          for (let i = 0; i < 12; i++) twins.store.reset(limiter, `key${i}`);
        }
        expect(twins.store.size).toBe(0);
      }),
      RUNS,
    );
  });
});
