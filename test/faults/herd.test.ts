import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RateLimitResult, Throttled } from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";
import { until } from "../support/server-node.js";
import { type Outcome, observe, slowest, watchProcess } from "./observe.js";
import { IN_TIME_MS, POLICIES, type Policy, Rig } from "./rig.js";

const MOST_UNDER_WAY = 16_384;
const MEGABYTE = 2 ** 20;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / MEGABYTE;
}

/** Ten thousand calls, some of them in each turn of the event loop. */
async function herd(rig: Rig, policy: Policy, perTurn: number): Promise<Outcome<RateLimitResult>[]> {
  const calls: Promise<Outcome<RateLimitResult>>[] = [];
  while (calls.length < 10_000) {
    for (let i = 0; i < perTurn; i++) calls.push(observe(() => rig.throttle(policy).limit(`key ${i}`)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return Promise.all(calls);
}

const EXPECTED: Record<Policy, readonly string[]> = {
  throw: ["StoreError"],
  allow: ["policy false"],
  deny: ["policy true"],
  fallback: ["fallback false", "fallback true"],
};

async function expectHerd(rig: Rig, policy: Policy, perTurn: number): Promise<number> {
  const outcomes = await herd(rig, policy, perTurn);
  const ends = outcomes.map(({ result, error }) =>
    result === undefined ? (error as Error).name : `${result.source} ${result.limited}`,
  );
  expect(EXPECTED[policy]).toEqual(expect.arrayContaining([...new Set(ends)]));
  return slowest(outcomes);
}

describe("When a herd runs into a server that hangs", () => {
  let watch: ReturnType<typeof watchProcess>;
  let rig: Rig;

  beforeAll(() => {
    watch = watchProcess();
  });
  beforeEach(async () => {
    rig = await Rig.start();
    rig.connect(rig.url);
    await rig.warmUp();
    rig.node.hang();
  });
  afterEach(() => rig.stop());
  afterAll(() => watch.stop());

  test.each(POLICIES)("%s: ten thousand calls end in time, and leave no memory behind", async (policy) => {
    const before = heap();
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const slowestMs = await expectHerd(rig, policy, 100);
    loop.disable();
    // A herd keeps the processor busy as well, both when a call starts and when its timer fires.
    expect(slowestMs).toBeLessThanOrEqual(IN_TIME_MS + (2 * loop.max) / 1e6);
    await until("the memory is free again", 3_000, () => heap() - before < 10);
  });

  test("so do ten thousand in one turn of the event loop", async () => {
    const before = heap();
    await expectHerd(rig, "throw", 10_000);
    await until("the memory is free again", 3_000, () => heap() - before < 10);
  });

  test("nothing was left unhandled, and nothing was warned of", () => {
    expect(watch.problems).toEqual([]);
  });
});

describe("With a client that never answers", () => {
  let asked = 0;
  const never = (): Promise<never> => {
    asked++;
    return new Promise(() => {});
  };
  const client = { evalsha: never, eval: never, del: never };

  test("no more calls are under way than the store can afford, and the others fail at once", async () => {
    asked = 0;
    const store = new RedisStore(client, { batch: false, breaker: { failures: 1_000_000 } });
    const throttle = new Throttled({ store, key: "key" });
    await expectTooMany(throttle);
    expect(asked).toBe(MOST_UNDER_WAY);
    // They count no more once they were given up.
    await throttle.limit().catch(() => {});
    expect(asked).toBe(MOST_UNDER_WAY + 1);
  });

  test("it is as many if they travel together", async () => {
    asked = 0;
    const store = new RedisStore(client, { breaker: { failures: 1_000_000 } });
    const throttle = new Throttled({ store, key: "key" });
    await expectTooMany(throttle);
    expect(asked).toBeLessThanOrEqual(MOST_UNDER_WAY / 1_024);
    await expectTooMany(throttle);
  });

  /** Of 100 more than may be under way, those 100 fail at once, and the others when their time is up. */
  async function expectTooMany(throttle: Throttled<RedisStore>): Promise<void> {
    const outcomes = await Promise.all(
      Array.from({ length: MOST_UNDER_WAY + 100 }, () => observe(() => throttle.limit())),
    );
    const reasons = outcomes.map(({ error }) => (error as Error).message);
    const tooMany = `The redis store failed to decide: ${MOST_UNDER_WAY} calls are under way already`;
    expect(reasons.slice(MOST_UNDER_WAY)).toEqual(Array(100).fill(tooMany));
    expect(reasons.filter((reason) => /no answer within 250 ms$/.test(reason))).toHaveLength(MOST_UNDER_WAY);
  }
});
