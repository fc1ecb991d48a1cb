import { describe, expect, test } from "vitest";
import { Limiter } from "../../src/algorithms/limiter.js";
import { Keyspace } from "../../src/stores/keyspace.js";
import { UNKNOWN } from "../../src/stores/record-table.js";

const NOW = 1_700_000_000_000;
const limiter = new Limiter("gcra", "2/d");

function spend(keyspace: Keyspace, key: string, cost: number, now = NOW): void {
  const table = keyspace.table(key);
  const slot = table.slotOf(key);
  table.decide(key, now, cost, 0, undefined);
  if (slot === UNKNOWN) keyspace.add(table, key);
}

function knows(keyspace: Keyspace, key: string): boolean {
  return keyspace.table(key).slotOf(key) !== UNKNOWN;
}

const kinds: [string, (i: number) => string][] = [
  ["numbers", (i) => `${i}`],
  ["users", (i) => `user:${i}`],
  ["addresses", (i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`],
  ["ids in hexadecimal", (i) => (i * 2_654_435_761).toString(16).padStart(16, "0")],
  ["ids in base 36", (i) => (i * 2_654_435_761).toString(36)],
  ["ids before a name", (i) => `tenant:${i.toString(36).padStart(5, "0")}:export`],
  // Of long keys the spread looks at some characters only: these all go to one table.
  ["ids amid a long path", (i) => `${"/a".repeat(60)}/${i.toString(36).padStart(5, "0")}/${"b/".repeat(60)}`],
];

describe.each([1, 4, 16])("a keyspace of %i tables", (spread) => {
  test.each(kinds)("holds %s, and knows each of them again", (_, name) => {
    const keyspace = new Keyspace(limiter, spread);
    for (let i = 0; i < 5_000; i++) spend(keyspace, name(i), 1);
    expect(keyspace.size).toBe(5_000);
    for (let i = 0; i < 5_000; i++) expect(knows(keyspace, name(i))).toBe(true);
    expect(knows(keyspace, name(5_000))).toBe(false);
  });

  test.each(kinds)("forgets as many %s as it is told to, until none is left", (_, name) => {
    const keyspace = new Keyspace(limiter, spread);
    for (let i = 0; i < 300; i++) spend(keyspace, name(i), 1);
    for (let left = 299; left >= 0; left--) {
      expect(keyspace.forget(NOW)).toBe(1);
      expect(keyspace.size).toBe(left);
      expect([...Array(300).keys()].filter((i) => knows(keyspace, name(i)))).toHaveLength(left);
    }
    expect(keyspace.forget(NOW)).toBe(0);
    spend(keyspace, name(0), 2);
    expect([keyspace.size, knows(keyspace, name(0))]).toEqual([1, true]);
  });

  test.each(kinds)(
    "sweeps %s that have expired, and no other, in as many looks as it has keys",
    (_, name) => {
      const keyspace = new Keyspace(limiter, spread);
      for (let i = 0; i < 500; i++) spend(keyspace, name(i), i % 2 === 0 ? 1 : 2);
      let swept = 0;
      // A table where all is well takes its turn all the same, however few keys it has.
      for (let look = 0; look < 4 * 500; look++) swept += keyspace.sweep(NOW + 43_200_000);
      expect([swept, keyspace.size]).toEqual([250, 250]);
      for (let i = 0; i < 500; i++) expect(knows(keyspace, name(i))).toBe(i % 2 === 1);
    },
  );

  test("has nothing to sweep or to forget while it is empty", () => {
    const keyspace = new Keyspace(limiter, spread);
    expect([keyspace.sweep(NOW), keyspace.forget(NOW), keyspace.size]).toEqual([0, 0, 0]);
  });
});

test.each(kinds.slice(0, 6))("%s spread over tables of about equal size", (_, name) => {
  const keyspace = new Keyspace(limiter, 16);
  for (let i = 0; i < 16_000; i++) spend(keyspace, name(i), 1);
  const tables = new Set([...Array(16_000).keys()].map((i) => keyspace.table(name(i))));
  expect(tables.size).toBe(16);
  expect(Math.max(...[...tables].map(({ size }) => size))).toBeLessThan(2_000);
});
