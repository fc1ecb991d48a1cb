import fc from "fast-check";
import { expect, test } from "vitest";
import { Limiter } from "../../src/algorithms/limiter.js";
import { RecordTable, UNKNOWN } from "../../src/stores/record-table.js";
import { ALIGNED, SingleKey } from "../algorithms/single-key.js";
import { visible } from "../properties/player.js";
import { ALGORITHMS } from "../support/algorithms.js";

/** A table beside a plain map of keys, to which the same happens. */
class Twins {
  readonly table: RecordTable;
  readonly keys = new Map<string, SingleKey>();
  /** Each quota by itself. */
  readonly singles: readonly Limiter[];
  now = ALIGNED;

  constructor(readonly limiter: Limiter) {
    this.table = new RecordTable(limiter);
    this.singles = limiter.quotas.map((quota) => new Limiter(limiter.algorithm, quota));
  }

  decide(name: string, cost: number, maxWaitMs: number): void {
    const slot = this.table.slotOf(name);
    const key = this.keys.get(name) ?? new SingleKey(this.limiter);
    expect(slot !== UNKNOWN).toBe(this.keys.has(name));
    key.now = this.now;
    expect(visible(this.table.decide(name, this.now, cost, maxWaitMs, undefined))).toEqual(
      visible(key.decide(cost, maxWaitMs)),
    );
    if (slot !== UNKNOWN || key.record === undefined) return;
    expect(this.table.isUsed(UNKNOWN, this.now)).toBe(true);
    this.table.add(name);
    this.keys.set(name, key);
  }

  remove(name: string): void {
    this.table.remove(this.table.slotOf(name));
    this.keys.delete(name);
  }

  /** Removes the key whose turn it is if it has expired. */
  sweep(): void {
    this.#removeSlot(this.table.expired(this.now), (key) => {
      expect(key.expiresAt).toBeLessThanOrEqual(this.now);
    });
  }

  forget(): void {
    if (this.keys.size === 0) return;
    const most = Math.max(...[...this.keys.keys()].map((name) => this.left(name)));
    const few = this.keys.size <= 8;
    this.#removeSlot(this.table.leastUsed(this.now), (_, name) => {
      if (few) expect(this.left(name)).toBe(most);
    });
  }

  /** The part of its quota that a key has left; of several quotas, of the one of which that is least. */
  left(name: string): number {
    const [written, ...numbers] = this.keys.get(name)!.record ?? new Array<number>(this.limiter.size).fill(0);
    const parts = this.singles.map((single) => {
      const key = new SingleKey(single, this.now);
      key.record = [written!, ...numbers.splice(0, single.size - 1)];
      return key.peek().remaining / key.capacity;
    });
    return Math.min(...parts);
  }

  check(): void {
    expect(this.table.size).toBe(this.keys.size);
    const slots = [...this.keys.keys()].map((name) => this.table.slotOf(name)).sort((a, b) => a - b);
    expect(slots).toEqual(Array.from({ length: this.keys.size }, (_, i) => i + 1));
    for (const name of this.keys.keys()) this.decide(name, 0, 0);
  }

  #removeSlot(slot: number, check: (key: SingleKey, name: string) => void): void {
    if (slot === UNKNOWN) return;
    const name = [...this.keys.keys()].find((each) => this.table.slotOf(each) === slot)!;
    check(this.keys.get(name)!, name);
    this.remove(name);
  }
}

const name = fc.nat(40).map((i) => `key${i}`);
const operations = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.constant("decide" as const), name, fc.integer({ min: -3, max: 6 })) },
    { weight: 2, arbitrary: fc.tuple(fc.constant("book" as const), name, fc.integer({ min: 1, max: 3 })) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("remove" as const), name) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("sweep" as const)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("forget" as const)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("pause" as const), fc.nat(4_000)) },
  ),
  { maxLength: 120, size: "max" },
);

test.each(ALGORITHMS)("a table of %s keys is a map of them, whatever comes and goes", (using) => {
  fc.assert(
    fc.property(fc.constantFrom("5/s", "3/10s", "2/s; 7/m"), operations, (quota, list) => {
      const twins = new Twins(new Limiter(using, quota));
      for (const [kind, ...rest] of list) {
        const [subject, number] = rest as [string, number];
        if (kind === "decide") twins.decide(subject, number, 0);
        else if (kind === "book") twins.decide(subject, number, 60_000);
        else if (kind === "pause") twins.now += rest[0] as number;
        else if (kind === "remove") twins.remove(subject);
        else twins[kind]();
      }
      twins.check();
    }),
    { numRuns: 60 },
  );
});

test.each(ALGORITHMS)("of %s keys the one goes with the largest part left, not the most units", (using) => {
  const twins = new Twins(new Limiter(using, "2/s; 7/d"));
  for (let i = 0; i < 2; i++) {
    twins.decide("3 of 7 a day", 2, 0);
    twins.now += 2_000;
  }
  twins.decide("1 of 2 a second", 1, 0);
  expect(["3 of 7 a day", "1 of 2 a second"].map((name) => twins.left(name))).toEqual([3 / 7, 1 / 2]);
  expect(twins.table.leastUsed(twins.now)).toBe(twins.table.slotOf("1 of 2 a second"));
});
