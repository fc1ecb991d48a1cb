import { type AlgorithmName, Limiter } from "../algorithms/limiter.js";
import type { SemaphoreRequest } from "../semaphore/state.js";
import type { Arrangement, Store } from "../stores/store.js";
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

/** Declares the tests that every store must pass, about fifty; each makes a store of its own. */
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
      equal({ passed: decisions.filter(({ limited }) => !limited).length }, { passed: 5 });
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
      equal({ waitMs: booking?.waitMs }, { waitMs });
    }
    equal(await store.decide(limiter, "key", 1, 300), { limited: true, retryAfterMs: 400 });
  });

  semaphoreConformance(scenario);
}

/** Somebody asks for something of a semaphore of three permits and leases of a second, unless it says otherwise. */
type Ask = (
  act: SemaphoreRequest["act"],
  id: string,
  options?: { key?: string; permits?: number; capacity?: number; maxWaiting?: number },
) => Promise<Arrangement>;

const LEASE_MS = 1_000;

/** The tests of semaphores, which a store without `arrange` passes as well. */
function semaphoreConformance(scenario: (name: string, run: Scenario) => void): void {
  const semaphore = (
    name: string,
    run: (ask: Ask, clock: ManualClock, store: Store) => Promise<void>,
  ): void =>
    scenario(`a semaphore, where there are any: ${name}`, async (store, clock) => {
      if (store.arrange === undefined) return;
      const ask: Ask = async (act, id, { key = "key", permits = 1, capacity = 3, maxWaiting = 100 } = {}) =>
        store.arrange!(
          key,
          { capacity, maxWaiting },
          { act, id, permits, leaseMs: LEASE_MS, onNews: () => {} },
        );
      await run(ask, clock, store);
    });

  semaphore(
    "gives as many permits as there are, and says what is left of the first lease",
    async (ask, clock) => {
      equal(await ask("acquire", "a", { permits: 2 }), {
        status: "held",
        leftMs: LEASE_MS,
        inUse: 2,
        waiting: 0,
      });
      clock.advance(300);
      equal(await ask("acquire", "b", { permits: 2 }), { status: "none", token: 0, leftMs: 700, inUse: 2 });
      equal(await ask("acquire", "c"), { status: "held", inUse: 3 });
      equal(await ask("acquire", "d"), { status: "none", inUse: 3, waiting: 0 });
      equal(await ask("acquire", "e", { permits: 4, capacity: 3 }), { status: "none" });
    },
  );

  semaphore("lets those in who wait, first come, first served, however many they need", async (ask) => {
    await ask("acquire", "a", { permits: 2 });
    equal(await ask("wait", "large", { permits: 3 }), { status: "waiting", waiting: 1 });
    equal(await ask("wait", "small"), { status: "waiting", inUse: 2, waiting: 2 });
    equal(await ask("acquire", "hasty"), { status: "none" });
    equal(await ask("release", "a", { permits: 2 }), { status: "none", inUse: 3, waiting: 1 });
    equal(await ask("wait", "large", { permits: 3 }), { status: "held", inUse: 3 });
    equal(await ask("wait", "small"), { status: "waiting" });
    equal(await ask("release", "large", { permits: 3 }), { inUse: 1, waiting: 0 });
    equal(await ask("wait", "small"), { status: "held" });
  });

  semaphore("lets nobody wait beyond maxWaiting, nor for more than there ever is", async (ask) => {
    await ask("acquire", "a", { permits: 3 });
    equal(await ask("wait", "b", { maxWaiting: 1 }), { status: "waiting" });
    equal(await ask("wait", "c", { maxWaiting: 1 }), { status: "none", waiting: 1 });
    equal(await ask("wait", "d", { permits: 4 }), { status: "none", waiting: 1 });
  });

  semaphore("to ask the same again changes nothing but how long it holds", async (ask, clock) => {
    const { token } = await ask("acquire", "a");
    const { token: place } = await ask("wait", "b", { permits: 3 });
    clock.advance(600);
    equal(await ask("acquire", "a"), { status: "held", token, leftMs: LEASE_MS, inUse: 1, waiting: 1 });
    equal(await ask("wait", "b", { permits: 3 }), { status: "waiting", token: place, inUse: 1, waiting: 1 });
    clock.advance(600);
    equal(await ask("renew", "a"), { status: "held", token, leftMs: LEASE_MS, inUse: 1 });
  });

  semaphore(
    "a lease ends by the clock, not a millisecond earlier, and frees its permits",
    async (ask, clock, store) => {
      await ask("acquire", "a", { permits: 3 });
      clock.advance(LEASE_MS - 1);
      equal(await ask("acquire", "b"), { status: "none", leftMs: 1 });
      clock.advance(1);
      equal(await store.arrange!("key", { capacity: 3, maxWaiting: 0 }), { inUse: 0, waiting: 0 });
      equal(await ask("renew", "a", { permits: 3 }), { status: "none", token: 0, inUse: 0 });
    },
  );

  semaphore("a place in line ends with its lease as well", async (ask, clock) => {
    await ask("acquire", "a", { permits: 3 });
    clock.advance(500);
    await ask("wait", "gone");
    clock.advance(499);
    await ask("renew", "a", { permits: 3 });
    equal(await ask("wait", "b"), { status: "waiting", waiting: 2 });
    clock.advance(501);
    equal(await ask("wait", "b"), { status: "waiting", inUse: 3, waiting: 1 });
  });

  semaphore("to release what was lost, or released before, frees nobody", async (ask, clock) => {
    await ask("acquire", "a", { permits: 3 });
    clock.advance(LEASE_MS);
    await ask("acquire", "b", { permits: 3 });
    for (let i = 0; i < 2; i++) {
      equal(await ask("release", "a", { permits: 3 }), { status: "none", inUse: 3 });
    }
  });

  semaphore(
    "tokens grow, after everything was released and after the clock was set back too",
    async (ask, clock) => {
      let last = 0;
      for (let i = 0; i < 10; i++) {
        const { token } = await ask("acquire", `${i}`);
        if (!(Number.isSafeInteger(token) && token > last)) {
          throw new Error(`Expected a token above ${last}, got ${token}`);
        }
        last = token;
        await ask("release", `${i}`);
        clock.set(clock.now() + (i % 2 === 0 ? 1 : -60_000));
      }
    },
  );

  semaphore("of 20 calls at once for 5 permits exactly 5 get one", async (ask) => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ask("acquire", `${i}`, { capacity: 5 })),
    );
    equal({ held: answers.filter(({ status }) => status === "held").length }, { held: 5 });
  });

  semaphore("keys share nothing with each other, nor with those of limiters", async (ask, _clock, store) => {
    const limiter = new Limiter("gcra", "1/h");
    for (const key of ["a", "b", "a:b", "{a}", "a\u0000", "ä", "%7Ba%7D", "__proto__"]) {
      equal(await ask("acquire", "x", { key, capacity: 1 }), { status: "held", inUse: 1 });
      equal(await ask("acquire", "y", { key, capacity: 1 }), { status: "none" });
      equal(await store.decide(limiter, key, 1, 0), { limited: false });
    }
  });
}

function equal<T extends object>(actual: T, expected: Partial<T>): void {
  for (const name of Object.keys(expected) as (keyof T & string)[]) {
    if (Object.is(actual[name], expected[name])) continue;
    throw new Error(`Expected ${name} to be ${expected[name]}, got ${actual[name]}`);
  }
}
