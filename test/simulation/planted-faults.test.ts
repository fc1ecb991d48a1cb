import { afterEach, expect, test, vi } from "vitest";
import { KeptLease } from "../../src/semaphore/lease.js";
import type * as Sleep from "../../src/sleep.js";
import { Breaker, OPEN } from "../../src/stores/breaker.js";
import type * as Deadline from "../../src/stores/deadline.js";
import { DenyCache } from "../../src/stores/redis/deny-cache.js";
import { KeyCalls } from "../../src/stores/redis/key-calls.js";
import { News } from "../../src/stores/redis/news.js";
import { Releases } from "../../src/stores/redis/releases.js";
import { simulate } from "./simulation.js";

/** Faults of functions, which can't be replaced as methods can. */
const planted = vi.hoisted(() => ({ earlyMs: 0, isPatient: false }));

vi.mock(import("../../src/sleep.js"), async (original) => {
  const sleep: typeof Sleep = await original();
  const sleepUntil: typeof Sleep.sleepUntil = (moment, timer, signal) => {
    const early = moment - planted.earlyMs;
    // Whoever looks at the time and sleeps again would do so for ever.
    return sleep.sleepUntil(early > timer.now() ? early : moment, timer, signal);
  };
  return { ...sleep, sleepUntil };
});
vi.mock(import("../../src/stores/deadline.js"), async (original) => {
  const deadline: typeof Deadline = await original();
  const withDeadline: typeof Deadline.withDeadline = (ms, call) =>
    deadline.withDeadline(planted.isPatient ? ms + 1 : ms, call);
  return { ...deadline, withDeadline };
});

afterEach(() => {
  vi.restoreAllMocks();
  Object.assign(planted, { earlyMs: 0, isPatient: false });
});

/** So many seeds find each of the faults. */
const SEEDS = 1_000;

const { run } = Breaker.prototype;
const { settle } = KeyCalls.prototype;

test.each<[fault: string, plant: () => unknown, problem: RegExp]>([
  [
    "a waiting room that wakes a millisecond early",
    () => {
      planted.earlyMs = 1;
    },
    /went .* before its moment/,
  ],
  [
    "a call that takes a millisecond longer than its deadline",
    () => {
      planted.isPatient = true;
    },
    /took .* ms|ms late/,
  ],
  [
    "a breaker that lets a second call through to try",
    () =>
      vi.spyOn(Breaker.prototype, "run").mockImplementation(function (this: Breaker, calls, call, isFailure) {
        return this.isTrying ? call() : run.call(this, calls, call, isFailure);
      } as typeof run),
    /the breaker tries/,
  ],
  [
    "a breaker that never tries again",
    () =>
      vi.spyOn(Breaker.prototype, "run").mockImplementation(function (this: Breaker, calls, call, isFailure) {
        return this.isOpen ? Promise.reject(OPEN) : run.call(this, calls, call, isFailure);
      } as typeof run),
    /the breaker does not try/,
  ],
  [
    "a release that is lost for good",
    () => vi.spyOn(Releases.prototype, "keep").mockImplementation(() => {}),
    /places of s, and knows of/,
  ],
  [
    "a lease that ends without a word",
    () => vi.spyOn(KeptLease.prototype, "lose").mockImplementation(() => {}),
    /it does not know/,
  ],
  [
    "news that nobody hears",
    () => vi.spyOn(News.prototype, "listen").mockImplementation(() => {}),
    /places of s, and knows of/,
  ],
  [
    "a deny cache that does not hear of refunds",
    () => vi.spyOn(DenyCache.prototype, "forget").mockImplementation(() => {}),
    /the deny cache/,
  ],
  [
    "calls of a batch that are decided at another moment than that of the server",
    () =>
      vi.spyOn(KeyCalls.prototype, "settle").mockImplementation(function (
        this: KeyCalls,
        now,
        found,
        record,
      ) {
        return settle.call(this, now + 50, found, record);
      }),
    /units within/,
  ],
])("%s is found, and found again", { timeout: 60_000 }, async (_, plant, expected) => {
  plant();
  let seed = 1;
  let found = await simulate(seed);
  while (found.problem === undefined && seed < SEEDS) found = await simulate(++seed);
  expect(found.problem).toMatch(expected);
  const again = await simulate(seed, true);
  expect(again.problem).toBe(found.problem);
  expect(again.trace.some((line) => line.endsWith(`: ${found.problem}`))).toBe(true);
  expect((await simulate(seed, true)).trace).toEqual(again.trace);
});
