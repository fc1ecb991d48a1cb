import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, test } from "vitest";
import { type Decision, isStoreError, Limiter, MemoryStore, Throttled } from "../../../src/index.js";
import { type RedisClient, RedisStore, type RedisStoreOptions } from "../../../src/redis.js";
import { ManualClock } from "../../../src/testing.js";
import { ALGORITHMS } from "../../support/algorithms.js";
import { IOREDIS } from "../../support/ioredis.js";
import { nextTick } from "../../support/next-tick.js";
import { RecordingClient } from "../../support/recording-client.js";

/** More calls of one key than travel as one. */
const MANY_CALLS = 5_000;

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

/** A store whose script is known to the server, and what it sends. */
async function recorded(
  options: RedisStoreOptions = {},
  client: RedisClient = redis,
): Promise<{ client: RecordingClient; store: RedisStore }> {
  const recorder = new RecordingClient(client);
  // What is asked here is not how fast a busy machine is.
  const store = new RedisStore(recorder, { prefix: randomUUID(), deadline: "10s", ...options });
  await store.decide(new Limiter("gcra", "1/s"), "loads the script", 0, 0);
  recorder.sent.length = 0;
  return { client: recorder, store };
}

function names({ sent }: RecordingClient): string[] {
  return sent.map(({ name }) => name);
}

function passed(decisions: readonly Decision[]): Decision[] {
  return decisions.filter(({ limited }) => !limited);
}

test("equal calls of one tick that would have to wait too long are not charged, though there is room in the bucket", async () => {
  const clock = new ManualClock();
  const { store } = await recorded({ clock });
  const limiter = new Limiter("leaky-bucket", "10/s burst 5");
  const calls = Array.from({ length: 3 }, () => store.decide(limiter, "key", 1, 50));
  expect((await Promise.all(calls)).map(({ limited }) => limited)).toEqual([false, true, true]);
  expect(await store.decide(limiter, "key", 0, 0)).toMatchObject({ remaining: 4 });
});

test("limiters that are asked the same in one tick share a script call, and each goes by its own quota", async () => {
  const { client, store } = await recorded();
  const limiters = ["2/w", "5/d", "9/h"].map((quota) => new Limiter("gcra", quota));
  const ask = () => Promise.all(limiters.map((limiter) => store.decide(limiter, "key", 1, 0)));
  expect((await ask()).map(({ remaining }) => remaining)).toEqual([1, 4, 8]);
  expect((await ask()).map(({ remaining }) => remaining)).toEqual([0, 3, 7]);
  const ofThree = { name: "evalsha", keys: expect.toSatisfy((keys) => keys.length === 3) };
  expect(client.sent).toEqual([ofThree, ofThree]);
});

describe.each(IOREDIS)("over $version", ({ connect }) => {
  const own = connect(inject("redisUrl"));
  afterAll(() => own.disconnect());

  test("a thousand calls on ten keys in one tick are one script call", async () => {
    const { client, store } = await recorded({}, own);
    const limiter = new Limiter("gcra", "60/w");
    const calls = Array.from({ length: 1_000 }, (_, i) => store.decide(limiter, `key ${i % 10}`, 1, 0));
    const decisions = await Promise.all(calls);
    expect(client.sent).toEqual([{ name: "evalsha", keys: expect.toSatisfy((keys) => keys.length === 10) }]);
    expect(passed(decisions.filter((_, i) => i % 10 === 3))).toHaveLength(60);
    expect(passed(decisions)).toEqual(decisions.slice(0, 600));
  });

  test("a call that is alone in its tick is a script call of one key", async () => {
    const { client, store } = await recorded({}, own);
    const limiter = new Limiter("gcra", "60/w");
    for (let left = 59; left > 49; left--) {
      expect(await store.decide(limiter, "key", 1, 0)).toMatchObject({ limited: false, remaining: left });
    }
    expect(client.sent.map(({ name, keys }) => `${name} ${keys.length}`)).toEqual(
      Array(10).fill("evalsha 1"),
    );
  });
});

test("limiters of every algorithm, of one quota and of several, share a script call", async () => {
  const { client, store } = await recorded();
  const limiters = ALGORITHMS.flatMap((using) => [new Limiter(using, "5/h"), new Limiter(using, "5/h; 9/d")]);
  const decisions = await Promise.all(limiters.map((limiter) => store.decide(limiter, "key", 2, 0)));
  expect(passed(decisions)).toHaveLength(limiters.length);
  expect(new Set(decisions.map(({ remaining }) => remaining))).toEqual(new Set([3]));
  expect(client.sent).toHaveLength(1);
  expect(client.sent[0]!.keys).toHaveLength(limiters.length);
});

test("calls from before the tick ends travel with those at its beginning", async () => {
  const { client, store } = await recorded();
  const limiter = new Limiter("gcra", "5/w");
  const first = store.decide(limiter, "one", 1, 0);
  const later = (async () => {
    for (let i = 0; i < 10; i++) await undefined;
    return store.decide(limiter, "other", 1, 0);
  })();
  await Promise.all([first, later]);
  expect(client.sent).toHaveLength(1);
});

test("more than 64 keys travel as several script calls, each call answered once", async () => {
  const { client, store } = await recorded();
  const limiter = new Limiter("gcra", "3/w");
  const calls = Array.from({ length: 1_200 }, (_, i) => store.decide(limiter, `key ${i % 600}`, 2, 0));
  const decisions = await Promise.all(calls);
  expect(client.sent.map(({ keys }) => keys.length)).toEqual([...Array(9).fill(64), 24]);
  expect(new Set(client.sent.flatMap(({ keys }) => keys)).size).toBe(600);
  expect(passed(decisions)).toEqual(decisions.slice(0, 600));
});

describe("more than 1,024 calls on a key in one tick", () => {
  test("are decided in their order, to the last unit", async () => {
    const { client, store } = await recorded();
    const limiter = new Limiter("gcra", `${MANY_CALLS - 100}/w`);
    const calls = Array.from({ length: MANY_CALLS }, () => store.decide(limiter, "key", 1, 0));
    const decisions = await Promise.all(calls);
    expect(decisions.map(({ remaining }) => remaining)).toEqual(
      Array.from({ length: MANY_CALLS }, (_, i) => Math.max(MANY_CALLS - 101 - i, 0)),
    );
    expect(passed(decisions)).toEqual(decisions.slice(0, -100));
    expect(client.sent.length).toBeLessThanOrEqual(Math.ceil(MANY_CALLS / 1_024));
    expect(await store.decide(limiter, "key", 0, 0)).toMatchObject({ remaining: 0 });
  });

  test("are as exact when none is like the one before", async () => {
    const clock = new ManualClock();
    const { store } = await recorded({ clock });
    const memory = new MemoryStore({ clock });
    const limiter = new Limiter("sliding-window", "9000/w");
    const costs = Array.from({ length: MANY_CALLS }, (_, i) => [1, 5, 0, -2, 3, 4_000, -1][i % 7]!);
    const decisions = await Promise.all(costs.map((cost) => store.decide(limiter, "key", cost, 0)));
    expect(decisions).toEqual(costs.map((cost) => memory.decide(limiter, "key", cost, 0)));
  });

  test("beside as many on other keys, are all answered", async () => {
    const { store } = await recorded();
    const limiter = new Limiter("gcra", "1000/w");
    const calls = Array.from({ length: 16_000 }, (_, i) => store.decide(limiter, `key ${i % 4}`, 1, 0));
    expect(passed(await Promise.all(calls))).toHaveLength(4_000);
  });
});

describe("the order of calls", () => {
  test("is kept between calls and resets of one tick", async () => {
    const { client, store } = await recorded();
    const limiter = new Limiter("gcra", "2/w");
    const spend = (): Promise<Decision> => store.decide(limiter, "key", 1, 0);
    const before = [spend(), spend(), spend()];
    const reset = store.reset(limiter, "key");
    const after = [spend(), spend(), spend()];
    for (const calls of [before, after]) {
      expect((await Promise.all(calls)).map(({ limited }) => limited)).toEqual([false, false, true]);
    }
    await reset;
    expect(names(client)).toEqual(["evalsha", "del", "evalsha"]);
  });

  test("is kept between calls and what is given back", async () => {
    const { client, store } = await recorded();
    const limiter = new Limiter("gcra", "2/w");
    const costs = [2, 1, -1, 1, 1, -2, 2, 0];
    const decisions = await Promise.all(costs.map((cost) => store.decide(limiter, "key", cost, 0)));
    expect(decisions.map(({ limited }) => limited)).toEqual([
      false,
      true,
      false,
      false,
      true,
      false,
      false,
      false,
    ]);
    expect(client.sent).toHaveLength(1);
  });

  test("is kept between two limiters of the same algorithm and quota, which share their keys", async () => {
    const { store } = await recorded();
    const [one, other] = [0, 1].map(() => new Throttled({ store, using: "gcra", quota: "3/w", key: "key" }));
    const calls = [one, other, one, other, one].map((throttle) => throttle!.limit());
    expect((await Promise.all(calls)).map(({ remaining, limited }) => [remaining, limited])).toEqual([
      [2, false],
      [1, false],
      [0, false],
      [0, true],
      [0, true],
    ]);
  });

  test("is that of arrival for those who wait", async () => {
    const clock = new ManualClock();
    const { client, store } = await recorded({ clock });
    const limiter = new Limiter("gcra", "1/s");
    const calls = Array.from({ length: 100 }, () => store.decide(limiter, "key", 1, 3_600_000));
    const decisions = await Promise.all(calls);
    expect(decisions.map(({ booking }) => booking?.waitMs ?? 0)).toEqual(
      Array.from({ length: 100 }, (_, i) => i * 1_000),
    );
    expect(client.sent).toHaveLength(1);
  });
});

describe("`close`", () => {
  test("right after calls still answers them, over a client of yours", async () => {
    const { store } = await recorded();
    const limiter = new Limiter("gcra", "5/w");
    const calls = Array.from({ length: 9 }, () => store.decide(limiter, "key", 1, 0));
    await store.close();
    expect(passed(await Promise.all(calls))).toHaveLength(5);
    await expect(store.decide(limiter, "key", 1, 0)).rejects.toThrow("it is closed");
  });

  test("right after calls still answers them, over a client of its own", async () => {
    const store = new RedisStore(inject("redisUrl"), { prefix: randomUUID(), deadline: "10s" });
    const limiter = new Limiter("gcra", "5/w");
    const calls = Array.from({ length: 9 }, () => store.decide(limiter, "key", 1, 0));
    await store.close();
    expect(passed(await Promise.all(calls))).toHaveLength(5);
  });
});

describe("calls that fail together", () => {
  const down = (): Promise<never> => Promise.reject(new Error("down"));
  const broken = { evalsha: down, eval: down, del: down };

  test("each have their error, and open the breaker together", async () => {
    const client = new RecordingClient(broken);
    const store = new RedisStore(client, { breaker: { retryAfter: "1h" } });
    const throttle = new Throttled({ store, key: "key" });
    for (const reason of ["down", "it is left alone after several failures in a row"]) {
      const calls = Array.from({ length: 5 }, () => throttle.limit());
      for (const call of await Promise.allSettled(calls)) {
        expect(call).toMatchObject({ reason: { message: `The redis store failed to decide: ${reason}` } });
      }
    }
    expect(client.sent).toHaveLength(1);
  });

  test("are each answered by the store to fall back on, in their order", async () => {
    const store = new RedisStore(broken, { onUnavailable: new MemoryStore() });
    const throttle = new Throttled({ store, quota: "3/w", key: "key" });
    const results = await Promise.all(Array.from({ length: 5 }, () => throttle.limit()));
    expect(results.map(({ remaining, source }) => `${remaining} ${source}`)).toEqual(
      [2, 1, 0, 0, 0].map((left) => `${left} fallback`),
    );
  });

  test("because the clock does are rejected with its error", async () => {
    const stopped = { now: (): number => expect.unreachable("no time") };
    const store = new RedisStore(redis, { prefix: randomUUID(), clock: stopped });
    await expect(store.decide(new Limiter("gcra", "1/w"), "key", 1, 0)).rejects.toThrow("no time");
  });
});

test("a client that answers with text for numbers is understood", async () => {
  const client = new Redis(inject("redisUrl"), { stringNumbers: true });
  const { store } = await recorded({}, client);
  const limiter = new Limiter("gcra", "3/w");
  const decisions = await Promise.all([1, 1, 1, 1].map((cost) => store.decide(limiter, "key", cost, 0)));
  expect(decisions.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0]);
  client.disconnect();
});

describe("`batch: false`", () => {
  test("sends each call by itself, at once", async () => {
    const { client, store } = await recorded({ batch: false });
    const limiter = new Limiter("gcra", "3/w");
    const calls: Promise<Decision>[] = [];
    for (let made = 1; made <= 5; made++) {
      calls.push(store.decide(limiter, "key", 1, 0));
      expect(client.sent).toHaveLength(made);
    }
    expect((await Promise.all(calls)).map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0, 0]);
    expect(client.sent.map(({ name, keys }) => `${name} ${keys.length}`)).toEqual(Array(5).fill("evalsha 1"));
  });

  test("is one script call for each key of `limitMany`", async () => {
    const { client, store } = await recorded({ batch: false });
    await new Throttled({ store, quota: "3/w" }).limitMany(["a", "b", "c"]);
    expect(names(client)).toEqual(["evalsha", "evalsha", "evalsha"]);
  });
});

test("calls travel together by default, and not before the tick ends", async () => {
  for (const batch of [undefined, true]) {
    const { client, store } = await recorded(batch === undefined ? {} : { batch });
    const limiter = new Limiter("gcra", "3/w");
    const calls = ["a", "b"].map((key) => store.decide(limiter, key, 1, 0));
    expect(client.sent).toHaveLength(0);
    await nextTick();
    expect(client.sent).toHaveLength(1);
    await Promise.all(calls);
  }
});

test.each([
  ["yes", '"yes"'],
  [1, "1"],
  [null, "null"],
  [{}, "an object"],
])("a `batch` of %o is refused", (batch, shown) => {
  expect(() => new RedisStore(redis, { batch: batch as boolean })).toThrow(
    new TypeError(`Expected \`batch\` to be a boolean, got ${shown}`),
  );
});

test("calls beyond those that the store can afford fail, and no others", async () => {
  const { store } = await recorded();
  const limiter = new Limiter("gcra", "100000/w");
  const calls = Array.from({ length: 16_384 + 100 }, (_, i) => store.decide(limiter, `key ${i % 10}`, 1, 0));
  const ends = await Promise.allSettled(calls);
  const failed = ends.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
  expect(failed.length).toBeGreaterThanOrEqual(100);
  expect(failed.length).toBeLessThan(4_096 + 100);
  for (const { reason } of failed) {
    expect(isStoreError(reason)).toBe(true);
    expect(reason).toMatchObject({
      reason: "overload",
      message: "The redis store failed to decide: 16384 calls are under way already",
    });
  }
});
