import { randomInt, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { afterAll, describe, expect, inject, test } from "vitest";
import { type AlgorithmName, type Booking, type Decision, Limiter } from "../../src/algorithms/limiter.js";
import type { Quota } from "../../src/quota.js";
import { MemoryStore } from "../../src/stores/memory-store.js";
import type { RedisClient } from "../../src/stores/redis/connection.js";
import { RedisStore } from "../../src/stores/redis/redis-store.js";
import { ManualClock } from "../../src/testing/manual-clock.js";
import { ALIGNED } from "../algorithms/single-key.js";
import { visible } from "./player.js";
import {
  ALGORITHMS,
  anyQuota,
  FORWARD,
  record,
  type Step,
  type StepKind,
  smallQuota,
  step,
} from "./programs.js";

/** Keys of each limiter, few enough for many calls on each and many enough for many in a tick. */
const KEYS = 3;

/** More than it takes: their lengths vary. */
const MOST_RUNS = 60;

/** One call or several alike, on one key of one limiter. */
interface Calls {
  readonly limiter: number;
  readonly key: number;
  readonly times: number;
  readonly step: Step;
}

/** What happens in each turn of the event loop: time passes as the first call says, then all calls are made. */
interface Traffic {
  readonly limiters: readonly { readonly using: AlgorithmName; readonly quotas: readonly Quota[] }[];
  readonly ticks: readonly (readonly Calls[])[];
}

interface TrafficOptions {
  readonly kinds: readonly StepKind[];
  readonly quota: (using: AlgorithmName) => fc.Arbitrary<Quota>;
  readonly ticks: number;
}

/** Traffic on limiters of every algorithm, of one quota and of several. */
function traffic({ kinds, quota, ticks }: TrafficOptions): fc.Arbitrary<Traffic> {
  const limiter = (using: AlgorithmName, most: number): fc.Arbitrary<Traffic["limiters"][number]> =>
    record({
      using: fc.constant(using),
      quotas: fc.array(quota(using), { minLength: most === 1 ? 1 : 2, maxLength: most, size: "max" }),
    });
  const limiters = fc.tuple(...ALGORITHMS.flatMap((using) => [limiter(using, 1), limiter(using, 3)]));
  return limiters.chain((list) => {
    const times = fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 12 }));
    const calls = fc.oneof(
      ...list.map(({ quotas }, index) =>
        record({ limiter: fc.constant(index), key: fc.nat(KEYS - 1), times, step: step(quotas, kinds) }),
      ),
    );
    return record({
      limiters: fc.constant(list),
      ticks: fc.array(fc.array(calls, { minLength: 1, maxLength: 80, size: "max" }), {
        maxLength: ticks,
        size: "max",
      }),
    });
  });
}

interface Place {
  readonly cost: number;
  readonly one: Booking;
  readonly other: Booking;
}

type Decide = (limiter: Limiter, key: string, ...call: [number, number, Booking?]) => Promise<Decision>;

/** Makes the calls of each tick on both sides at once, one of which may be slow, and hands both answers to each call to `check`. */
async function play(
  { limiters, ticks }: Traffic,
  pass: (ms: number) => void,
  [one, other]: readonly [Decide, Decide],
  check: (one: Decision, other: Decision, calls: Calls) => void,
): Promise<number> {
  const all = limiters.map(({ using, quotas }) => new Limiter(using, quotas));
  const booked = new Map<string, Place[]>();
  let made = 0;
  for (const tick of ticks) {
    pass(tick[0]!.step.pauseMs);
    const asked: Promise<void>[] = [];
    for (const calls of tick) {
      const limiter = all[calls.limiter]!;
      const key = `key ${calls.key}`;
      const id = `${calls.limiter} ${calls.key}`;
      const places = booked.get(id) ?? [];
      booked.set(id, places);
      for (let i = 0; i < calls.times; i++) {
        const { cancel } = calls.step;
        const [place] = cancel === undefined ? [] : places.splice(-1 - (cancel % places.length), 1);
        const { cost, maxWaitMs } = place === undefined ? calls.step : { cost: -place.cost, maxWaitMs: 0 };
        const answers = Promise.all([
          one(limiter, key, cost, maxWaitMs, place?.one),
          other(limiter, key, cost, maxWaitMs, place?.other),
        ]);
        made++;
        asked.push(
          answers.then(([first, second]) => {
            check(first, second, calls);
            if (first.booking && second.booking)
              places.push({ cost, one: first.booking, other: second.booking });
          }),
        );
      }
    }
    await Promise.all(asked);
  }
  return made;
}

/** Plays traffic until so many calls were made, or something differs: then the shortest traffic that shows it fails the test. */
async function playAll(
  arbitrary: fc.Arbitrary<Traffic>,
  leastCalls: number,
  run: (traffic: Traffic) => Promise<number>,
): Promise<void> {
  const seed = randomInt(2 ** 31);
  let calls = 0;
  for (const [index, each] of fc.sample(arbitrary, { seed, numRuns: MOST_RUNS }).entries()) {
    if (calls >= leastCalls) break;
    try {
      calls += await run(each);
    } catch (error) {
      await fc.assert(
        fc.asyncProperty(arbitrary, async (again) => void (await run(again))),
        {
          seed,
          path: `${index}`,
          interruptAfterTimeLimit: 60_000,
        },
      );
      throw error;
    }
  }
  expect(calls).toBeGreaterThanOrEqual(leastCalls);
}

const CLIENTS = [
  ["ioredis 6", (url: string): RedisClient & { disconnect(): void } => new Redis(url)],
  ["ioredis 5", (url: string): RedisClient & { disconnect(): void } => new Redis5(url)],
] as const;

describe.each(CLIENTS)("over %s", (_, connect) => {
  const client = connect(inject("redisUrl"));
  afterAll(() => client.disconnect());

  const storeOn = (options: object): RedisStore =>
    new RedisStore(client, { prefix: `batch:${randomUUID()}`, deadline: "10s", ...options });
  const decideOf =
    (store: RedisStore): Decide =>
    (...call) =>
      store.decide(...call);

  test("calls of one tick are answered as memory answers the same calls one by one, field by field", {
    timeout: 120_000,
  }, async () => {
    const arbitrary = traffic({ kinds: [...FORWARD, "flood", "step back"], quota: anyQuota, ticks: 12 });
    await playAll(arbitrary, 20_000, async (each) => {
      const clock = new ManualClock(ALIGNED);
      // One for each key: where there are others, a key that is as good as fresh may be forgotten before the clock is set back.
      const memories = new Map<string, MemoryStore>();
      const memoryOf = (id: string): MemoryStore => {
        const memory = memories.get(id) ?? new MemoryStore({ clock });
        memories.set(id, memory);
        return memory;
      };
      return play(
        each,
        (ms) => clock.set(Math.max(0, clock.now() + ms)),
        [
          async (limiter, key, ...call) => memoryOf(`${limiter.id} ${key}`).decide(limiter, key, ...call),
          decideOf(storeOn({ clock })),
        ],
        (expected, actual) => {
          if (!isDeepStrictEqual(visible(actual), visible(expected))) {
            expect(visible(actual)).toEqual(visible(expected));
          }
        },
      );
    });
  });

  test("calls of one tick pass and leave as much as those that travel alone, by the server's clock", {
    timeout: 120_000,
  }, async () => {
    // Nothing comes back while the test runs, so that it does not matter when a call is decided.
    const quota = (using: AlgorithmName): fc.Arbitrary<Quota> =>
      smallQuota(using).map((each) => ({ ...each, periodMs: 10 * 31_536_000_000 }));
    const arbitrary = traffic({ kinds: ["call", "ask", "charge", "refund"], quota, ticks: 12 });
    await playAll(arbitrary, 6_000, (each) =>
      play(
        each,
        () => {},
        [decideOf(storeOn({ batch: false })), decideOf(storeOn({ batch: true }))],
        (alone, together) => {
          const [expected, actual] = [alone, together].map(({ limited, remaining }) => ({
            limited,
            remaining,
          }));
          if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
        },
      ),
    );
  });
});
