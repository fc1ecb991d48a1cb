import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RateLimitResult } from "../../src/index.js";
import { until } from "../support/server-node.js";
import { type Outcome, observe, sleep, slowest, watchProcess } from "./observe.js";
import { IN_TIME_MS, isServed, LIMIT, POLICIES, type Policy, Rig } from "./rig.js";

const FLAPPING_MS = 600;

/** What comes and goes, every few milliseconds. */
const FLAPS: readonly (readonly [string, (rig: Rig) => unknown])[] = [
  ["the connection", ({ proxy }) => proxy.reset()],
  [
    "the network",
    ({ proxy }) => {
      proxy.hangsUp = !proxy.hangsUp;
    },
  ],
  [
    "the answers",
    ({ proxy }) => {
      proxy.answersToLose = 1 - proxy.answersToLose;
    },
  ],
  ["the scripts", ({ node }) => node.call("SCRIPT", "FLUSH")],
];

describe.each(FLAPS)("While %s comes and goes", (_what, flap) => {
  let rig: Rig;
  let watch: ReturnType<typeof watchProcess>;
  beforeEach(async () => {
    watch = watchProcess();
    rig = await Rig.start();
    rig.connect(rig.proxy.url);
    await rig.warmUp();
  });
  afterEach(() => rig.stop());

  async function callsOf(policy: Policy): Promise<Outcome<RateLimitResult>[]> {
    const calls: Promise<Outcome<RateLimitResult>>[] = [];
    const end = performance.now() + FLAPPING_MS;
    while (performance.now() < end) {
      calls.push(observe(() => rig.throttle(policy).limit("key")));
      await sleep(2);
    }
    return Promise.all(calls);
  }

  test("every call ends in time, the store admits no more than its limit, and all is well afterwards", async () => {
    const flapping = setInterval(() => flap(rig), 15);
    const outcomes = await Promise.all(POLICIES.map(callsOf));
    clearInterval(flapping);
    rig.proxy.hangsUp = false;
    rig.proxy.answersToLose = 0;
    expect(slowest(outcomes.flat())).toBeLessThanOrEqual(IN_TIME_MS);
    for (const each of outcomes) {
      const admitted = each.filter(({ result }) => result?.source === "store" && !result.limited);
      expect(admitted.length).toBeLessThanOrEqual(LIMIT);
      for (const { error } of each) if (error) expect(error).toMatchObject({ name: "StoreError" });
    }
    for (const policy of POLICIES) {
      await until("the store answers", 1_000, () => isServed(rig.throttle(policy)));
    }
    watch.stop();
    expect(watch.problems).toEqual([]);
  });
});
