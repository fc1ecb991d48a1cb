import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Release, Releases } from "../../../src/stores/redis/releases.js";

const LEASE_MS = 1_000;

let sent: string[];
let releases: Releases;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  releases = new Releases(({ request }) => sent.push(request.id));
});

afterEach(() => vi.useRealTimers());

function release(id: string, leaseMs = LEASE_MS): Release {
  const request = { act: "release", id, permits: 1, leaseMs } as const;
  return { key: "key", rules: { capacity: 1, maxWaiting: 1 }, request };
}

function keep(...ids: string[]): void {
  for (const id of ids) releases.keep(id, release(id));
}

test("while the server does not answer it is asked about one of them four times a second", () => {
  keep("one", "two");
  vi.advanceTimersByTime(249);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(sent).toEqual(["one"]);
  vi.advanceTimersByTime(500);
  expect(sent).toEqual(["one", "one", "one"]);
});

test("once the server answers it is told all of them, and none again", () => {
  keep("one", "two", "three");
  releases.isAnswering = true;
  vi.advanceTimersByTime(250);
  expect(sent).toEqual(["one", "two", "three"]);
  expect(vi.getTimerCount()).toBe(0);
  keep("four");
  vi.advanceTimersByTime(250);
  expect(sent.slice(3)).toEqual(["four"]);
});

test("it is told at once where that is asked for, and not later", () => {
  keep("one", "two");
  releases.tell();
  expect([sent, vi.getTimerCount()]).toEqual([["one", "two"], 0]);
});

test("what is kept anew while it is told comes in the next round", () => {
  releases = new Releases(({ request }) => {
    sent.push(request.id);
    if (sent.length === 1) keep(request.id);
  });
  releases.isAnswering = true;
  keep("one");
  vi.advanceTimersByTime(250);
  expect(sent).toEqual(["one"]);
  vi.advanceTimersByTime(250);
  expect(sent).toEqual(["one", "one"]);
});

test("none is told whose lease is over, also where it was kept again meanwhile, and then nothing is under way", () => {
  keep("one");
  releases.keep("longer", release("longer", 10 * LEASE_MS));
  vi.advanceTimersByTime(LEASE_MS - 1);
  keep("one");
  expect(new Set(sent)).toEqual(new Set(["one"]));
  sent.length = 0;
  vi.advanceTimersByTime(1);
  expect(sent).toEqual(["longer"]);
  vi.advanceTimersByTime(20 * LEASE_MS);
  expect(sent).toHaveLength(36);
  expect(vi.getTimerCount()).toBe(0);
});

test("no more than some thousands are kept", () => {
  keep(...Array.from({ length: 5_000 }, (_, i) => `${i}`));
  releases.tell();
  expect(sent).toEqual(Array.from({ length: 4_096 }, (_, i) => `${i}`));
});
