import { describe, expect, test } from "vitest";
import {
  type AlgorithmName,
  type CallOptions,
  Limiter,
  MemoryStore,
  type Store,
  Throttled,
} from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { openWaitingRoom } from "../src/waiting-room.js";
import { pass, turn } from "./support/manual-time.js";
import { RemoteStore } from "./support/remote-store.js";

/** The beginning of a window of every period used here. */
const START = 1_700_000_000_000;

function setUp(quota: string, using: AlgorithmName = "token-bucket") {
  const clock = new ManualClock(START);
  const server = new MemoryStore({ clock });
  const store = new RemoteStore(clock, server);
  const limiter = new Throttled({ using, quota, store });
  const served: [unknown, number][] = [];
  const wait = (name: unknown, options: CallOptions = {}, from: Throttled<Store> = limiter): Promise<void> =>
    from.limit("k", { timeout: "1h", ...options }).then(({ limited }) => {
      served.push([name, limited ? Number.NaN : clock.now() - START]);
    });
  return { clock, server, store, limiter, served, wait };
}

describe("200 waiters on one key", () => {
  test.each<[AlgorithmName, string, (name: number) => number]>([
    ["token-bucket", "100/s burst 1", (name) => name * 10],
    ["gcra", "100/s burst 1", (name) => name * 10],
    ["leaky-bucket", "100/s burst 50", (name) => name * 10],
    ["fixed-window", "20/200ms", (name) => Math.floor(name / 20) * 200],
    ["sliding-window", "1/10ms", (name) => (name === 0 ? 0 : name * 10 + 9)],
  ])("are served in order and at the pace of a %s of %s", async (using, quota, moment) => {
    const { clock, store, served, wait } = setUp(quota, using);
    for (let name = 0; name < 200; name++) void wait(name);
    await pass(clock, 2_010);
    expect(served).toEqual(Array.from({ length: 200 }, (_, name) => [name, moment(name)]));
    expect(store.asked.length).toBeLessThanOrEqual(220);
  });

  test("are served in order when they arrive while others wait", async () => {
    const { clock, store, served, wait } = setUp("100/s burst 1");
    for (let name = 0; name < 200; name++) {
      void wait(name);
      await pass(clock, 3);
    }
    await pass(clock, 1_400);
    expect(served).toEqual(Array.from({ length: 200 }, (_, name) => [name, name * 10]));
    expect(store.asked).toHaveLength(200);
  });

  test("are served in order when they come through several limiters of one store", async () => {
    const { clock, store, served, wait } = setUp("100/s burst 1");
    const other = new Throttled({ quota: { limit: 100, period: "1s", burst: 1 }, store });
    for (let name = 0; name < 200; name++) void wait(name, {}, name % 2 ? other : undefined);
    await pass(clock, 1_990);
    expect(served).toEqual(Array.from({ length: 200 }, (_, name) => [name, name * 10]));
  });

  test("are served in order when they come from several processes", async () => {
    const { clock, server, served, wait } = setUp("100/s burst 1");
    const processes = [1, 2, 3, 4].map(
      () => new Throttled({ quota: "100/s burst 1", store: new RemoteStore(clock, server) }),
    );
    for (let name = 0; name < 200; name++) void wait(name, {}, processes[name % 4]);
    await pass(clock, 1_990);
    expect(served).toEqual(Array.from({ length: 200 }, (_, name) => [name, name * 10]));
  });
});

describe("waiting", () => {
  test.each(["remote", "memory"])(
    "has one order for calls with and without a signal (%s store)",
    async (kind) => {
      const { clock, server, served, wait } = setUp("10/s burst 1");
      const limiter =
        kind === "memory" ? new Throttled<Store>({ quota: "10/s burst 1", store: server }) : undefined;
      for (let name = 0; name < 6; name++) {
        void wait(name, name % 2 ? { signal: new AbortController().signal } : {}, limiter);
      }
      await pass(clock, 600);
      expect(served).toEqual([0, 1, 2, 3, 4, 5].map((name) => [name, name * 100]));
    },
  );

  test("is over exactly when the units are there", async () => {
    const { clock, served, wait } = setUp("10/s");
    void wait("all", { cost: 10 });
    void wait("late");
    await pass(clock, 99);
    expect(served).toEqual([["all", 0]]);
    await pass(clock, 1);
    expect(served).toEqual([
      ["all", 0],
      ["late", 100],
    ]);
  });

  test("serves different costs in the order of arrival, a small one never before a big one", async () => {
    const { clock, served, wait } = setUp("10/s");
    void wait("all", { cost: 10 });
    void wait("big", { cost: 8 });
    void wait("small", { cost: 1 });
    void wait("middle", { cost: 3 });
    await pass(clock, 1_200);
    expect(served).toEqual([
      ["all", 0],
      ["big", 800],
      ["small", 900],
      ["middle", 1_200],
    ]);
  });

  test("is refused at once, and spends nothing, when the first moment is beyond the timeout", async () => {
    const { clock, store, limiter, served, wait } = setUp("1/s");
    void wait("first");
    void wait("waits");
    await turn();
    const before = await limiter.peek("k");
    expect(await limiter.limit("k", { timeout: 1_999 })).toStrictEqual({
      limited: true,
      quotaIndex: 0,
      source: "store",
      limit: 1,
      remaining: 0,
      resetAfterMs: 2_000,
      retryAfterMs: 2_000,
    });
    expect(await limiter.peek("k")).toEqual(before);
    void wait("in time", { timeout: 2_000 });
    await pass(clock, 2_000);
    expect(served).toEqual([
      ["first", 0],
      ["waits", 1_000],
      ["in time", 2_000],
    ]);
    expect(store.asked).toHaveLength(6);
  });

  test("answers with the numbers of the moment that was booked, and with no field but theirs", async () => {
    const { clock, limiter } = setUp("2/s");
    await limiter.limit("k", 2);
    const waiting = limiter.limit("k", { cost: 2, timeout: "1s" });
    await pass(clock, 1_000);
    expect(await waiting).toStrictEqual({
      limited: false,
      quotaIndex: 0,
      source: "store",
      limit: 2,
      remaining: 0,
      resetAfterMs: 1_000,
      retryAfterMs: 0,
    });
  });

  test("never happens for a cost that can't ever pass", async () => {
    const { limiter } = setUp("2/s");
    expect(await limiter.limit("k", { cost: 3, timeout: "1w" })).toMatchObject({
      limited: true,
      remaining: 2,
      retryAfterMs: Number.POSITIVE_INFINITY,
    });
  });

  test("never happens for a cost of 0, nor in calls that answer at once", async () => {
    const clock = new ManualClock();
    const limiter = new Throttled({
      key: "k",
      quota: "1/h",
      store: new MemoryStore({ clock }),
      timeout: "1d",
    });
    expect(limiter.limitSync().limited).toBe(false);
    expect(limiter.limitSync().limited).toBe(true);
    expect(() => limiter.acquireSync()).toThrow("Rate limit exceeded");
    expect((await limiter.limit("k", 0)).limited).toBe(false);
    expect(clock.sleepers).toBe(0);
  });

  test("is what the limiter's timeout allows unless the call has one of its own", async () => {
    const clock = new ManualClock();
    const limiter = new Throttled({
      key: "k",
      quota: "1/s",
      store: new MemoryStore({ clock }),
      timeout: "1s",
    });
    limiter.limitSync();
    expect((await limiter.limit("k", { timeout: 0 })).limited).toBe(true);
    const permit = limiter.acquire();
    expect((await limiter.limit()).limited).toBe(true);
    await pass(clock, 1_000);
    expect((await permit).remaining).toBe(0);
  });

  test("for one key holds up no other", async () => {
    const { clock, limiter } = setUp("1/s");
    await limiter.limit("k");
    const waiting = limiter.limit("k", { timeout: "1s" });
    expect((await limiter.limit("other", { timeout: "1s" })).limited).toBe(false);
    await pass(clock, 1_000);
    expect((await waiting).limited).toBe(false);
  });

  test("in a leaky bucket is paced from the first call on, and a burst without a timeout is not", async () => {
    const { clock, limiter, served, wait } = setUp("10/s burst 5", "leaky-bucket");
    for (let name = 0; name < 4; name++) void wait(name);
    await pass(clock, 300);
    expect(served.map(([, moment]) => moment)).toEqual([0, 100, 200, 300]);
    const burst = await limiter.limitMany(["other", "other", "other", "other", "other", "other"]);
    expect(burst.map(({ limited }) => limited)).toEqual([false, false, false, false, false, true]);
  });

  test("goes on when the key is reset, at the moments that were given", async () => {
    const { clock, limiter, served, wait } = setUp("1/s");
    void wait("first");
    void wait("second");
    await turn();
    await limiter.reset("k");
    void wait("third");
    await pass(clock, 1_000);
    expect(served).toEqual([
      ["first", 0],
      ["third", 0],
      ["second", 1_000],
    ]);
  });

  test("of those who come after a reset is not behind those who came before it", async () => {
    const { clock, limiter, served, wait } = setUp("1/s");
    for (const name of ["first", "second", "third"]) void wait(name);
    await turn();
    await limiter.reset("k");
    for (const name of ["fourth", "fifth"]) void wait(name);
    await pass(clock, 2_000);
    expect(served).toEqual([
      ["first", 0],
      ["fourth", 0],
      ["second", 1_000],
      ["fifth", 1_000],
      ["third", 2_000],
    ]);
  });

  test("keeps nothing of a key for which nobody waits any more", async () => {
    const { clock, store, wait } = setUp("1/s");
    const room = () => openWaitingRoom(store, new Limiter("token-bucket", "1/s"), "k");
    for (let name = 0; name < 3; name++) void wait(name);
    await turn();
    expect(room()).toBeDefined();
    await pass(clock, 2_000);
    expect(room()).toBeUndefined();
  });

  test("ends in time when time jumps ahead, still in order", async () => {
    const { clock, served, wait } = setUp("1/s");
    for (let name = 0; name < 5; name++) void wait(name);
    await turn();
    clock.advance(3_500);
    await turn();
    expect(served.map(([name]) => name)).toEqual([0, 1, 2, 3]);
    await pass(clock, 500);
    expect(served).toHaveLength(5);
    expect(clock.sleepers).toBe(0);
  });
});

test("answers that were late keep those who wait in the order in which they were decided about", async () => {
  const clock = new ManualClock();
  const store = new RemoteStore(clock);
  const limiter = new Throttled({ quota: "100/s burst 1", store, timeout: "1m", key: "k" });
  const gone: string[] = [];
  const line = Array.from({ length: 51 }, () => limiter.limit());
  await pass(clock, 1);
  const release = store.hold();
  const early = limiter.limit().then(() => gone.push("early"));
  await pass(clock, 200);
  const late = limiter.limit().then(() => gone.push("late"));
  await turn();
  release();
  await pass(clock, 700);
  await Promise.all([...line, early, late]);
  expect(gone).toEqual(["early", "late"]);
});
