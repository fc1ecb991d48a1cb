import { type AlgorithmName, type Decision, Limiter } from "../algorithms/limiter.js";
import type { Store } from "../stores/store.js";
import { ManualClock } from "./manual-clock.js";

/** What the suite needs to know of a store. */
export interface ConformanceOptions {
  /** Declares one test: `test` of Vitest, Jest, `node:test` or any runner that takes a name and an async function. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /** Makes an empty store that goes by `clock`; the suite closes it. */
  readonly create: (clock: ManualClock) => Store | Promise<Store>;
}

type Scenario = (store: Store, clock: ManualClock) => Promise<void>;

const ALGORITHMS: readonly AlgorithmName[] = [
  "fixed-window",
  "sliding-window",
  "token-bucket",
  "leaky-bucket",
  "gcra",
];

/** Declares the tests that every store must pass, about forty; each makes a store of its own. */
export function storeConformance({ test, create }: ConformanceOptions): void {
  const scenario = (name: string, run: Scenario): void => {
    test(name, async () => {
      const clock = new ManualClock();
      const store = await create(clock);
      try {
        await run(store, clock);
      } finally {
        await store.close?.();
      }
    });
  };

  for (const using of ALGORITHMS) {
    const limiter = (quota = "5/s"): Limiter => new Limiter(using, quota);

    scenario(`${using}: a fresh key spends its limit, and not one unit more`, async (store) => {
      for (let left = 4; left >= 0; left--) {
        equal(await store.decide(limiter(), "key", 1, 0), { limited: false, limit: 5, remaining: left });
      }
      equal(await store.decide(limiter(), "key", 1, 0), { limited: true, limit: 5, remaining: 0 });
    });

    scenario(
      `${using}: a refused call passes at retryAfterMs, and not a millisecond earlier`,
      async (store, clock) => {
        await store.decide(limiter(), "key", 5, 0);
        const { retryAfterMs } = await store.decide(limiter(), "key", 2, 0);
        clock.advance(retryAfterMs - 1);
        equal(await store.decide(limiter(), "key", 2, 0), { limited: true, retryAfterMs: 1 });
        clock.advance(1);
        equal(await store.decide(limiter(), "key", 2, 0), { limited: false, retryAfterMs: 0 });
      },
    );

    scenario(`${using}: a key is as good as fresh at resetAfterMs`, async (store, clock) => {
      const { resetAfterMs } = await store.decide(limiter(), "key", 3, 0);
      clock.advance(resetAfterMs);
      equal(await store.decide(limiter(), "key", 0, 0), { remaining: 5, resetAfterMs: 0 });
      equal(await store.decide(limiter(), "key", 5, 0), { limited: false });
    });

    scenario(`${using}: a refused call and a cost of 0 change nothing`, async (store) => {
      await store.decide(limiter(), "key", 3, 0);
      const before = await store.decide(limiter(), "key", 0, 0);
      equal(await store.decide(limiter(), "key", 3, 0), { limited: true });
      equal(await store.decide(limiter(), "key", 6, 0), {
        limited: true,
        retryAfterMs: Number.POSITIVE_INFINITY,
      });
      equal(await store.decide(limiter(), "key", 0, 0), { ...before });
    });

    scenario(
      `${using}: units that are given back can be spent again, never above a fresh key`,
      async (store) => {
        await store.decide(limiter(), "key", 5, 0);
        equal(await store.decide(limiter(), "key", -2, 0), { limited: false, remaining: 2 });
        equal(await store.decide(limiter(), "key", -9, 0), { limited: false, remaining: 5, resetAfterMs: 0 });
      },
    );

    scenario(`${using}: a booking that is given back leaves no trace`, async (store, clock) => {
      await store.decide(limiter(), "key", 5, 0);
      const before = await store.decide(limiter(), "key", 0, 0);
      const { booking } = await store.decide(limiter(), "key", 1, 10_000);
      if (booking === undefined) throw new Error("Expected a booking");
      clock.advance(1);
      await store.decide(limiter(), "key", -1, 0, booking);
      const after = await store.decide(limiter(), "key", 0, 0);
      equal(after, { resetAfterMs: before.resetAfterMs - 1, retryAfterMs: before.retryAfterMs - 1 });
    });

    scenario(`${using}: of 20 calls at once on a limit of 5 exactly 5 pass`, async (store) => {
      const decisions = await Promise.all(
        Array.from({ length: 20 }, () => store.decide(limiter(), "key", 1, 0)),
      );
      same(decisions.filter(({ limited }) => !limited).length, 5, "calls that passed");
    });

    scenario(`${using}: several quotas pass together or not at all`, async (store) => {
      const both = limiter("5/s; 6/h");
      equal(await store.decide(both, "key", 5, 0), { limited: false, quotaIndex: 0, remaining: 0 });
      equal(await store.decide(both, "key", 2, 0), { limited: true, quotaIndex: 1, remaining: 1 });
      await store.reset(limiter("6/h"), "key");
      equal(await store.decide(both, "key", 0, 0), { quotaIndex: 0, remaining: 0 });
    });
  }

  scenario("keys, quotas and algorithms share nothing with each other", async (store) => {
    const limiters = [
      new Limiter("gcra", "1/s"),
      new Limiter("gcra", "1/m"),
      new Limiter("token-bucket", "1/s"),
    ];
    for (const limiter of limiters) {
      for (const key of ["a", "b", "a:b", "{a}", "a\u0000", "ä", "%7Ba%7D", "__proto__"]) {
        equal(await store.decide(limiter, key, 1, 0), { limited: false });
        equal(await store.decide(limiter, key, 1, 0), { limited: true });
      }
    }
  });

  scenario("a key that was reset is fresh, and no other is", async (store) => {
    const limiter = new Limiter("token-bucket", "1/h");
    await store.decide(limiter, "one", 1, 0);
    await store.decide(limiter, "other", 1, 0);
    await store.reset(limiter, "one");
    equal(await store.decide(limiter, "one", 1, 0), { limited: false });
    equal(await store.decide(limiter, "other", 1, 0), { limited: true });
  });

  scenario("places are booked in order, each at the pace of the quota", async (store) => {
    const limiter = new Limiter("token-bucket", "10/s burst 1");
    for (const waitMs of [undefined, 100, 200, 300]) {
      const { booking } = await store.decide(limiter, "key", 1, 300);
      same(booking?.waitMs, waitMs, "waitMs");
    }
    equal(await store.decide(limiter, "key", 1, 300), { limited: true, retryAfterMs: 400 });
  });
}

function equal(actual: Decision, expected: Partial<Decision>): void {
  for (const name of Object.keys(expected) as (keyof Decision)[]) same(actual[name], expected[name], name);
}

function same(actual: unknown, expected: unknown, name: string): void {
  if (!Object.is(actual, expected)) throw new Error(`Expected ${name} to be ${expected}, got ${actual}`);
}
