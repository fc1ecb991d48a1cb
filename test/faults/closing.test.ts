import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isStoreError, Throttled } from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";
import { shared } from "../support/shared.js";
import { observeAll, slowest, watchProcess } from "./observe.js";
import { IN_TIME_MS, POLICIES, Rig } from "./rig.js";

const CLOSED_MS = 250 + 1_000;

/** States in which a store may be closed. */
const STATES: readonly (readonly [string, (rig: Rig) => unknown])[] = [
  ["that works", () => {}],
  ["whose server is gone", (rig) => rig.kill()],
  ["whose server hangs", ({ node }) => node.hang()],
  ["whose connection leads nowhere", ({ proxy }) => proxy.blackHole()],
  [
    "whose server can't be reached any more",
    ({ proxy }) => {
      proxy.hangsUp = true;
      proxy.reset();
    },
  ],
  [
    "whose password has changed",
    async (rig) => {
      await rig.node.call("CONFIG", "SET", "requirepass", "new");
      await rig.dropClients();
    },
  ],
];

describe.each(STATES)("Closing a store %s", (_state, provoke) => {
  let watch: ReturnType<typeof watchProcess>;
  beforeAll(() => {
    watch = watchProcess();
  });
  const rig = shared(
    async () => {
      const each = await Rig.start();
      each.connect(each.proxy.url);
      await each.warmUp();
      await provoke(each);
      return each;
    },
    (each) => each.stop(),
  );
  afterAll(() => watch.stop());

  test.each(POLICIES)("%s: calls under way end in time, and so does close", async (policy) => {
    const throttle = rig().throttle(policy);
    const calls = observeAll(Array.from({ length: 10 }, () => () => throttle.limit("under way")));
    const closings = await observeAll([1, 2].map(() => () => throttle.store.close()));
    expect(slowest(closings)).toBeLessThanOrEqual(CLOSED_MS);
    expect(closings.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(slowest(await calls)).toBeLessThanOrEqual(IN_TIME_MS);
  });

  test.each(POLICIES)("%s: what is asked of it later fails at once, as that is no outage", async (policy) => {
    const throttle = rig().throttle(policy);
    await throttle.store.close();
    const { sent } = rig().proxy;
    const calls: (() => Promise<unknown>)[] = [
      () => throttle.limit("key"),
      () => throttle.peek("key"),
      () => throttle.refund("key"),
      () => throttle.reset("key"),
    ];
    const outcomes = await observeAll(calls);
    for (const { error } of outcomes) {
      expect(isStoreError(error)).toBe(true);
      expect(String(error)).toMatch(/^StoreError: The redis store failed to (decide|reset): it is closed$/);
    }
    expect(slowest(outcomes)).toBeLessThan(50);
    expect(rig().proxy.sent).toBe(sent);
  });

  test("nothing was left unhandled, and nothing was warned of", () => {
    expect(watch.problems).toEqual([]);
  });
});

describe("Closing", () => {
  test("a store that was never used opens no connection", async () => {
    const rig = await Rig.start();
    const store = new RedisStore(rig.proxy.url);
    await store.close();
    expect(rig.proxy.accepted).toBe(0);
    await rig.stop();
  });

  test("is what `await using` does", async () => {
    const rig = await Rig.start();
    let throttle: Throttled<RedisStore>;
    {
      await using store = new RedisStore(rig.url);
      throttle = new Throttled({ store, key: "key" });
      await throttle.limit();
    }
    await expect(throttle.limit()).rejects.toThrow("it is closed");
    await rig.stop();
  });
});
