import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, test } from "vitest";
import { type Decision, Limiter, MemoryStore, Throttled } from "../../../src/index.js";
import { RedisStore, type RedisStoreOptions } from "../../../src/redis.js";
import { ManualClock } from "../../../src/testing.js";
import { ALGORITHMS } from "../../support/algorithms.js";
import { nextTick } from "../../support/next-tick.js";
import { RecordingClient } from "../../support/recording-client.js";
import { serverTime } from "../../support/server-time.js";

const HOUR_MS = 3_600_000;

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

/** A store that answers refused keys by itself, and a memory store that goes by the same clock. */
class Bench {
  readonly clock = new ManualClock();
  readonly client = new RecordingClient(redis);
  readonly prefix = randomUUID();
  readonly memory = new MemoryStore({ clock: this.clock });
  readonly store: RedisStore;

  constructor(options: RedisStoreOptions = {}) {
    this.store = this.another({ denyCache: "1h", ...options });
  }

  /** A store on the same keys, as another process would have it. */
  another(options: RedisStoreOptions = {}): RedisStore {
    const { prefix, clock } = this;
    return new RedisStore(this.client, { prefix, clock, deadline: "10s", ...options });
  }

  /** How many commands a call sends, and its answer. */
  async sent<T>(call: () => Promise<T>): Promise<[number, T]> {
    const before = this.client.sent.length;
    const answer = await call();
    return [this.client.sent.length - before, answer];
  }
}

const one = new Limiter("gcra", "1/m");
const refused = expect.objectContaining({ limited: true });
const granted = expect.objectContaining({ limited: false });

/** Spends a unit twice, so that the key is remembered as refused. */
async function refuse(bench: Bench, limiter = one, key = "key"): Promise<void> {
  await bench.store.decide(limiter, key, 1, 0);
  expect(await bench.store.decide(limiter, key, 1, 0)).toEqual(refused);
}

describe("a refused key", () => {
  test("is refused again without asking the server", async () => {
    const bench = new Bench();
    await refuse(bench);
    for (let i = 0; i < 100; i++) {
      expect(await bench.sent(async () => bench.store.decide(one, "key", 1, 0))).toEqual([0, refused]);
    }
    expect(await bench.sent(async () => bench.store.decide(one, "another", 1, 0))).toEqual([1, granted]);
    const twice = new Limiter("gcra", "2/m");
    expect(await bench.sent(async () => bench.store.decide(twice, "key", 1, 0))).toEqual([1, granted]);
  });

  test.each(ALGORITHMS.flatMap((using) => ["1/m", "3/10s", "2/10s; 5/m"].map((quota) => ({ using, quota }))))(
    "counts down as the server would, and passes exactly when it says: $using of $quota",
    async ({ using, quota }) => {
      const bench = new Bench();
      const limiter = new Limiter(using, quota);
      let answer: Decision;
      do {
        answer = await bench.store.decide(limiter, "key", 1, 0);
        expect(answer).toEqual(bench.memory.decide(limiter, "key", 1, 0));
      } while (!answer.limited);
      const due = bench.clock.now() + answer.retryAfterMs;
      while (bench.clock.now() < due) {
        const [sent, local] = await bench.sent(async () => bench.store.decide(limiter, "key", 1, 0));
        expect(local).toEqual(bench.memory.decide(limiter, "key", 1, 0));
        expect(sent).toBe(0);
        bench.clock.advance(Math.max(1, Math.min(997, due - bench.clock.now() - 1)));
      }
      expect(bench.clock.now()).toBe(due);
      const [sent, local] = await bench.sent(async () => bench.store.decide(limiter, "key", 1, 0));
      expect(local).toEqual(bench.memory.decide(limiter, "key", 1, 0));
      expect([sent, local]).toEqual([1, granted]);
    },
  );

  test("passes when it says by the clock of the server, and is not asked for before", async () => {
    const client = new RecordingClient(redis);
    const store = new RedisStore(client, { prefix: randomUUID(), denyCache: "1h", deadline: "10s" });
    const limiter = new Limiter("gcra", "1/300ms");
    const before = await serverTime(redis);
    await store.decide(limiter, "key", 1, 0);
    let { limited, retryAfterMs } = await store.decide(limiter, "key", 1, 0);
    // On a machine that stood still for so long there is nothing left to refuse.
    if (!limited) return;
    const asked = client.sent.length;
    let last = retryAfterMs;
    for (let calls = 0; limited && client.sent.length === asked; calls++) {
      ({ limited, retryAfterMs } = await store.decide(limiter, "key", 1, 0));
      expect(retryAfterMs).toBeLessThanOrEqual(last);
      last = retryAfterMs;
      if (calls % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect({ limited, sent: client.sent.length - asked }).toEqual({ limited: false, sent: 1 });
    expect(await serverTime(redis)).toBeGreaterThanOrEqual(before + 300);
  });

  test("with a cost that fits still asks", async () => {
    const bench = new Bench();
    const limiter = new Limiter("gcra", "5/m");
    await bench.store.decide(limiter, "key", 3, 0);
    expect(await bench.store.decide(limiter, "key", 3, 0)).toEqual(refused);
    expect(await bench.sent(async () => bench.store.decide(limiter, "key", 3, 0))).toEqual([0, refused]);
    expect(await bench.sent(async () => bench.store.decide(limiter, "key", 2, 0))).toEqual([1, granted]);
    expect(await bench.sent(async () => bench.store.decide(limiter, "key", 3, 0))).toEqual([0, refused]);
  });

  test("with a cost that can never pass is refused for good", async () => {
    const bench = new Bench();
    expect(await bench.sent(async () => bench.store.decide(one, "key", 2, 0))).toEqual([1, refused]);
    const [sent, { retryAfterMs }] = await bench.sent(async () => bench.store.decide(one, "key", 2, 0));
    expect([sent, retryAfterMs]).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(await bench.sent(async () => bench.store.decide(one, "key", 1, 0))).toEqual([1, granted]);
  });

  test.each<[string, number, number]>([
    ["that waits", 1, HOUR_MS],
    ["that asks what is left", 0, 0],
    ["that is charged in any case", 1, Number.POSITIVE_INFINITY],
  ])("is asked for by a call %s", async (_, cost, maxWaitMs) => {
    const bench = new Bench();
    await refuse(bench);
    expect(await bench.sent(async () => bench.store.decide(one, "key", cost, maxWaitMs))).toEqual([
      1,
      granted,
    ]);
    bench.memory.decide(one, "key", 1, 0);
    const [sent, answer] = await bench.sent(async () => bench.store.decide(one, "key", 0, 0));
    expect([sent, answer.remaining]).toEqual([1, 0]);
  });

  test("is refused with the others of `limitMany`, and `limit` says where it was decided as ever", async () => {
    const bench = new Bench();
    const throttle = new Throttled({ store: bench.store, using: "gcra", quota: "1/m" });
    await throttle.limitMany(["a", "a", "b", "b"]);
    const [sent, results] = await bench.sent(() => throttle.limitMany(["a", "b", "c"]));
    expect(results.map(({ limited, source }) => `${limited} ${source}`)).toEqual([
      "true store",
      "true store",
      "false store",
    ]);
    expect(sent).toBe(1);
    expect(bench.client.sent.at(-1)!.keys).toHaveLength(1);
  });
});

describe("what is given back here is known at once", () => {
  const GIVE_BACK: [string, (bench: Bench) => Promise<unknown>][] = [
    ["a reset", async ({ store }) => store.reset(one, "key")],
    ["a refund", async ({ store }) => store.decide(one, "key", -1, 0)],
  ];

  test.each(GIVE_BACK)("by %s that was answered", async (_, giveBack) => {
    const bench = new Bench();
    await refuse(bench);
    await giveBack(bench);
    expect(await bench.sent(async () => bench.store.decide(one, "key", 1, 0))).toEqual([1, granted]);
  });

  test.each(GIVE_BACK)("by %s that was made just before, in the same tick", async (_, giveBack) => {
    const bench = new Bench();
    await refuse(bench);
    const given = giveBack(bench);
    expect(await bench.store.decide(one, "key", 1, 0)).toEqual(granted);
    await given;
  });

  test.each(GIVE_BACK)("by %s that was under way with the refusal", async (_, giveBack) => {
    const bench = new Bench();
    await bench.store.decide(one, "key", 1, 0);
    const refusal = bench.store.decide(one, "key", 1, 0);
    const given = giveBack(bench);
    expect(await refusal).toEqual(refused);
    await given;
    expect(await bench.store.decide(one, "key", 1, 0)).toEqual(granted);
  });

  test.each(GIVE_BACK)(
    "by %s that is under way, also to calls after a refusal from before it",
    async (_, giveBack) => {
      const bench = new Bench();
      await bench.store.decide(one, "key", 1, 0);
      const refusal = bench.store.decide(one, "key", 1, 0);
      await nextTick();
      const given = giveBack(bench);
      expect(await refusal).toEqual(refused);
      const next = bench.store.decide(one, "key", 1, 0);
      expect(await next).toEqual(granted);
      await given;
    },
  );

  test("by a booking that is given back", async () => {
    const bench = new Bench();
    await bench.store.decide(one, "key", 1, 0);
    const { booking } = await bench.store.decide(one, "key", 1, HOUR_MS);
    expect(await bench.store.decide(one, "key", 1, 0)).toMatchObject({
      limited: true,
      retryAfterMs: 120_000,
    });
    await bench.store.decide(one, "key", -1, 0, booking);
    expect(await bench.store.decide(one, "key", 1, 0)).toMatchObject({ limited: true, retryAfterMs: 60_000 });
  });

  test("but a call that passes in between does not make it be remembered again", async () => {
    const bench = new Bench();
    await refuse(bench);
    const costs = [-1, 1, 1];
    const decisions = await Promise.all(costs.map((cost) => bench.store.decide(one, "key", cost, 0)));
    expect(decisions).toEqual([granted, granted, refused]);
    expect(await bench.sent(async () => bench.store.decide(one, "key", 1, 0))).toEqual([0, refused]);
  });
});

describe("what others give back", () => {
  test("is known once the refusal is as old as it may get", async () => {
    const bench = new Bench({ denyCache: "10s" });
    await refuse(bench);
    await bench.another().reset(one, "key");
    bench.clock.advance(9_999);
    expect(await bench.sent(async () => bench.store.decide(one, "key", 1, 0))).toEqual([0, refused]);
    bench.clock.advance(1);
    expect(await bench.sent(async () => bench.store.decide(one, "key", 1, 0))).toEqual([1, granted]);
  });

  test("counts from the answer of the server, not from the last refusal here", async () => {
    const bench = new Bench({ denyCache: "10s" });
    const limiter = new Limiter("gcra", "1/h");
    await refuse(bench, limiter);
    for (let second = 1; second < 10; second++) {
      bench.clock.advance(1_000);
      expect(await bench.sent(async () => bench.store.decide(limiter, "key", 1, 0))).toEqual([0, refused]);
    }
    bench.clock.advance(1_000);
    expect(await bench.sent(async () => bench.store.decide(limiter, "key", 1, 0))).toEqual([1, refused]);
    expect(await bench.sent(async () => bench.store.decide(limiter, "key", 1, 0))).toEqual([0, refused]);
  });

  test("is known to a store without a deny cache at once", async () => {
    const bench = new Bench();
    const other = bench.another();
    await refuse(bench);
    expect(await bench.sent(async () => other.decide(one, "key", 1, 0))).toEqual([1, refused]);
    await bench.store.reset(one, "key");
    expect(await other.decide(one, "key", 1, 0)).toEqual(granted);
  });
});

test.each<[string, readonly Limiter[]]>([
  ["one limiter", [one]],
  ["several limiters together", [one, new Limiter("gcra", "1/d"), new Limiter("token-bucket", "1/d")]],
])("no more than 16,384 keys of %s are remembered, those refused last", async (_, limiters) => {
  const bench = new Bench();
  const MOST = 16_384;
  const never = async (keys: readonly number[]): Promise<unknown> =>
    Promise.all(
      keys.map(async (key) => bench.store.decide(limiters[key % limiters.length]!, `key ${key}`, 2, 0)),
    );
  const keys = Array.from({ length: MOST + 100 }, (_, i) => i);
  for (let i = 0; i < keys.length; i += 4_096) await never(keys.slice(i, i + 4_096));
  expect(await bench.sent(() => never(keys.slice(-4_096)))).toEqual([0, expect.anything()]);
  expect(await bench.sent(() => never(keys.slice(100, 110)))).toEqual([0, expect.anything()]);
  const before = bench.client.sent.length;
  await never(keys.slice(0, 100));
  expect(bench.client.sent.slice(before).flatMap((command) => command.keys)).toHaveLength(100);
});

describe("the option `denyCache`", () => {
  test.each<[string, RedisStoreOptions]>([
    ["left out", { denyCache: undefined as never }],
    ["of nothing", { denyCache: 0 }],
    ["of `0s`", { denyCache: "0s" }],
  ])("%s means that the server is always asked", async (_, options) => {
    const bench = new Bench(options);
    await refuse(bench);
    for (let i = 0; i < 5; i++) {
      expect(await bench.sent(async () => bench.store.decide(one, "key", 1, 0))).toEqual([1, refused]);
    }
  });

  const duration =
    'a duration: whole milliseconds, or text such as "250ms", "1.5s", "2m", "1h", "1d" or "1w"';
  test.each([
    ["soon", TypeError, '"soon"'],
    [-1, RangeError, "-1"],
    [1.5, RangeError, "1.5"],
    [Number.POSITIVE_INFINITY, RangeError, "Infinity"],
    [null, TypeError, "null"],
    [true, TypeError, "true"],
    [{}, TypeError, "an object"],
  ])("of %o is refused", (denyCache, kind, shown) => {
    expect(() => new RedisStore(redis, { denyCache: denyCache as number })).toThrow(
      new kind(`Expected \`denyCache\` to be ${duration}, got ${shown}`),
    );
  });
});

test("what a policy refuses while the server is gone is not remembered", async () => {
  let down = true;
  const fail = (): Promise<never> => Promise.reject(new Error("down"));
  const store = new RedisStore(
    {
      evalsha: (...args) => (down ? fail() : redis.evalsha(...args)),
      eval: (...args) => (down ? fail() : redis.eval(...args)),
      del: (key) => redis.del(key),
    },
    { prefix: randomUUID(), denyCache: "1h", onUnavailable: "deny", breaker: { failures: 1_000 } },
  );
  expect(await store.decide(one, "key", 1, 0)).toMatchObject({ limited: true, source: "policy" });
  down = false;
  expect(await store.decide(one, "key", 1, 0)).toMatchObject({ limited: false, source: "store" });
});

test("calls that travel alone have a deny cache as well", async () => {
  const bench = new Bench({ batch: false });
  await refuse(bench);
  expect(await bench.sent(async () => bench.store.decide(one, "key", 1, 0))).toEqual([0, refused]);
});
