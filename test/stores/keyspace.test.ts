import { describe, expect, test } from "vitest";
import { Limiter } from "../../src/algorithms/limiter.js";
import { Keyspace } from "../../src/stores/keyspace.js";
import { UNKNOWN } from "../../src/stores/record-table.js";

const NOW = 1_700_000_000_000;
const DAY_MS = 86_400_000;
const limiter = new Limiter("gcra", "2/d");

function spend(keyspace: Keyspace, key: string, cost: number, now = NOW): void {
  const table = keyspace.table(key);
  const slot = table.slotOf(key);
  table.decide(key, now, cost, 0, undefined);
  if (slot === UNKNOWN) keyspace.add(table, key);
}

/** One that has had more keys of a kind than one table holds, and has none any more. */
function emptied(spread: number, name: (i: number) => string): Keyspace {
  const keyspace = new Keyspace(limiter, spread);
  for (let i = 0; i <= 16_384; i++) spend(keyspace, name(10_000 + i), 1, NOW - DAY_MS);
  while (keyspace.size > 0) keyspace.sweep(NOW);
  return keyspace;
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
    const keyspace = emptied(spread, name);
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
      const keyspace = emptied(spread, name);
      for (let i = 0; i < 500; i++) spend(keyspace, name(i), i % 2 === 0 ? 1 : 2);
      let swept = 0;
      // A table where all is well takes its turn all the same, however few keys it has.
      for (let look = 0; look < 4 * 500; look++) swept += keyspace.sweep(NOW + DAY_MS / 2);
      expect([swept, keyspace.size]).toEqual([250, 250]);
      for (let i = 0; i < 500; i++) expect(knows(keyspace, name(i))).toBe(i % 2 === 1);
    },
  );

  test("has nothing to sweep or to forget while it is empty", () => {
    for (const keyspace of [new Keyspace(limiter, spread), emptied(spread, String)]) {
      expect([keyspace.sweep(NOW), keyspace.forget(NOW), keyspace.size]).toEqual([0, 0, 0]);
    }
  });
});

test.each(kinds.slice(0, 6))("%s spread over tables of about equal size", (_, name) => {
  const keyspace = emptied(16, (i) => `gone ${i}`);
  for (let i = 0; i < 16_000; i++) spend(keyspace, name(i), 1);
  const tables = new Set([...Array(16_000).keys()].map((i) => keyspace.table(name(i))));
  expect(tables.size).toBe(16);
  expect(Math.max(...[...tables].map(({ size }) => size))).toBeLessThan(2_000);
});

test("keys are in one table until there are 16,384, and move to others with those that come", () => {
  const keyspace = new Keyspace(limiter, 16);
  const all = () => [...Array(keyspace.size).keys()].map(String);
  const tables = () => new Set(all().map((key) => keyspace.table(key)));
  for (let i = 0; i < 16_384; i++) spend(keyspace, `${i}`, 1);
  const [first] = tables();
  expect([tables().size, first?.size]).toEqual([1, 16_384]);
  for (let i = 16_384; i < 16_484; i++) spend(keyspace, `${i}`, 1);
  expect([tables().has(first!), first?.size]).toEqual([true, 16_384 - 800]);
  expect(all().every((key) => knows(keyspace, key))).toBe(true);
  for (let i = 16_484; i < 16_384 + 2_048; i++) spend(keyspace, `${i}`, 1);
  expect([tables().size, tables().has(first!), first?.size]).toEqual([16, false, 0]);
  expect(all().every((key) => knows(keyspace, key))).toBe(true);
});

test("a table that is left is empty soon, also where its keys are forgotten meanwhile", () => {
  const keyspace = new Keyspace(limiter, 4);
  for (let i = 0; i <= 16_384; i++) spend(keyspace, `${i}`, 1);
  const first = keyspace.table("0");
  for (let slot = first.size; slot > 0; slot--) keyspace.remove(first, slot);
  spend(keyspace, "one more", 1);
  while (keyspace.size > 0) keyspace.forget(NOW);
  spend(keyspace, "0", 2);
  expect([keyspace.size, knows(keyspace, "0"), keyspace.table("0") === first]).toEqual([1, true, false]);
});

test("keys that move to another table are what they were: as much used, and refused or not", () => {
  const keyspace = new Keyspace(limiter, 16);
  const refused = (i: number): boolean => i % 16 === 0;
  for (let i = 0; i < 16_384; i++) {
    spend(keyspace, `${i}`, 2);
    if (refused(i)) spend(keyspace, `${i}`, 1);
  }
  for (let i = 16_384; i < 16_384 + 2_048; i++) spend(keyspace, `${i}`, 2);
  const used = { remaining: 0, resetAfterMs: DAY_MS };
  for (let i = 0; i < keyspace.size; i++) {
    expect(keyspace.table(`${i}`).decide(`${i}`, NOW, 0, 0, undefined)).toMatchObject(used);
  }
  // Of keys that have used as much those stay that were refused.
  for (let i = 0; i < 1_000; i++) keyspace.forget(NOW);
  const gone = [...Array(16_384 + 2_048).keys()].filter((i) => !knows(keyspace, `${i}`));
  expect(gone).toHaveLength(1_000);
  expect(gone.filter((i) => i < 16_384 && refused(i))).toEqual([]);
});
