import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { until } from "../support/server-node.js";
import { inTurns, observeAll, slowest } from "./observe.js";
import { IN_TIME_MS, isServed, LIMIT, POLICIES, type Policy, Rig } from "./rig.js";

/** Declares the tests of what calls cost whose answer, or whose connection, is lost. */
export function lostReplySuite(): void {
  test.each(POLICIES)("%s: calls given up without a connection are never carried out", expectNoGhosts);
  describe("When an answer is lost with its connection", lostAnswers);
}

async function expectNoGhosts(policy: Policy): Promise<void> {
  const rig = await Rig.start();
  rig.connect(rig.proxy.url, { breaker: { failures: 1_000_000 } });
  await rig.warmUp();
  const throttle = rig.throttle(policy);
  await throttle.limit("load the script");
  const { accepted } = rig.proxy;
  rig.proxy.hangsUp = true;
  rig.proxy.reset();
  await until("everybody has noticed", 2_000, () => rig.proxy.accepted >= accepted + POLICIES.length);
  await observeAll(Array.from({ length: 20 }, () => () => throttle.limit("given up")));
  rig.proxy.hangsUp = false;
  await until("the store answers", 1_000, () => isServed(throttle));
  expect(await throttle.peek("given up")).toMatchObject({ remaining: LIMIT });
  await rig.stop();
}

function lostAnswers(): void {
  let rig: Rig;
  let key = 0;
  beforeAll(async () => {
    rig = await Rig.start();
    rig.connect(rig.proxy.url);
  });
  beforeEach(async () => {
    key++;
    await rig.warmUp();
  });
  afterAll(() => rig.stop());

  const remaining = async (policy: Policy): Promise<number> => {
    await until("the store answers", 1_000, () => isServed(rig.throttle(policy)));
    return (await rig.throttle(policy).peek(`${key}`)).remaining;
  };

  test.each(POLICIES)("%s: the server has charged the call once", async (policy) => {
    rig.proxy.answersToLose = 1;
    const [outcome] = await observeAll([() => rig.throttle(policy).limit(`${key}`, 2)]);
    expect(outcome?.ms).toBeLessThanOrEqual(IN_TIME_MS);
    expect(outcome?.result?.source).not.toBe("store");
    expect(await remaining(policy)).toBe(LIMIT - 2);
  });

  test.each(POLICIES)("%s: nor has it charged those behind it more than once", async (policy) => {
    rig.proxy.answersToLose = 1;
    const calls = [1, 2, 3, 4].map(() => () => rig.throttle(policy).limit(`${key}`));
    expect(slowest(await observeAll(inTurns(calls)))).toBeLessThanOrEqual(IN_TIME_MS);
    expect(await remaining(policy)).toBeGreaterThanOrEqual(LIMIT - 4);
  });

  test.each(POLICIES)("%s: nor those that travelled with it", async (policy) => {
    rig.proxy.answersToLose = 1;
    const outcomes = await observeAll([1, 2, 3].map(() => () => rig.throttle(policy).limit(`${key}`)));
    expect(slowest(outcomes)).toBeLessThanOrEqual(IN_TIME_MS);
    for (const { result } of outcomes) expect(result?.source).not.toBe("store");
    expect(await remaining(policy)).toBe(LIMIT - 3);
  });

  test.each(POLICIES)("%s: a refund is given once", async (policy) => {
    await rig.throttle(policy).limit(`${key}`, 5);
    rig.proxy.answersToLose = 1;
    await rig
      .throttle(policy)
      .refund(`${key}`, 2)
      .catch(() => {});
    expect(await remaining(policy)).toBe(2);
  });

  test.each(POLICIES)("%s: a call that found no script is not charged", async (policy) => {
    await rig.node.call("SCRIPT", "FLUSH");
    rig.proxy.answersToLose = 1;
    await rig
      .throttle(policy)
      .limit(`${key}`)
      .catch(() => {});
    expect(await remaining(policy)).toBe(LIMIT);
  });
}
