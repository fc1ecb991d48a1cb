import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isStoreError } from "../../src/index.js";
import { sleep } from "./observe.js";
import { whileOpen } from "./outage-suite.js";
import { POLICIES, Rig } from "./rig.js";

/** How often the server was asked to decide. */
const asked = ({ proxy }: Rig): number => proxy.count("evalsha") + proxy.count("eval");

describe("While a server hangs, an open breaker", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start();
    rig.connect(rig.proxy.url, { breaker: { retryAfter: "10s" } });
    await rig.warmUp();
    rig.node.hang();
    await Promise.all(
      POLICIES.flatMap((policy) =>
        Array.from({ length: 5 }, () =>
          rig
            .throttle(policy)
            .limit("key")
            .catch(() => {}),
        ),
      ),
    );
  });
  afterAll(() => rig.stop());

  test.each(POLICIES)("%s: answers a thousand calls while nothing reaches the wire", async (policy) => {
    const before = asked(rig);
    const { ms, written } = await whileOpen(rig.throttle(policy));
    for (let i = 0; i < 800; i++)
      await rig
        .throttle(policy)
        .limit("key")
        .catch(() => {});
    await sleep(50);
    expect(written).toBe(0);
    expect(asked(rig)).toBe(before);
    expect(ms.sort((one, other) => one - other)[ms.length / 2]).toBeLessThan(1);
  });

  test("says why under throw", async () => {
    const error = await rig
      .throttle("throw")
      .limit("key")
      .catch((reason) => reason);
    expect(isStoreError(error)).toBe(true);
    expect(error.message).toMatch(
      /^The redis store failed to decide: it is left alone after several failures in a row/,
    );
  });
});

test("An open breaker lets one call at a time ask again, however many there are", async () => {
  const rig = await Rig.start();
  rig.connect(rig.proxy.url, { breaker: { failures: 3, retryAfter: "100ms" }, deadline: "50ms" });
  const throttle = rig.throttle("deny");
  await rig.warmUp();
  // Answers come, but late, so that the connection stays and every attempt is seen on the wire.
  rig.proxy.delayMs = 100;
  await Promise.all(Array.from({ length: 3 }, () => throttle.limit("key")));
  const before = asked(rig);
  const start = performance.now();
  while (performance.now() < start + 1_000) {
    await Promise.all(Array.from({ length: 20 }, () => throttle.limit("key")));
    await sleep(1);
  }
  const tried = asked(rig) - before;
  expect(tried).toBeGreaterThanOrEqual(3);
  expect(tried).toBeLessThanOrEqual(1_000 / (100 + 50) + 1);
  await rig.stop();
});

test("Callers that try again at once, all the time, hear of a server that is back", async () => {
  const rig = await Rig.start();
  // Together they would all be let through to try, and in step as well.
  rig.connect(rig.proxy.url, {
    breaker: { failures: 3, retryAfter: "20ms" },
    deadline: "50ms",
    batch: false,
  });
  const throttle = rig.throttle("throw");
  await rig.warmUp();
  rig.node.hang();
  let refused = 0;
  const persist = async (pace: number): Promise<void> => {
    for (let served = false; !served; ) {
      for (let i = 0; i < pace; i++) await undefined;
      served = await throttle.limit("key").then(
        () => refused > 100,
        () => false,
      );
      if (!served) refused++;
      if (refused === 100) rig.node.resume();
    }
  };
  await Promise.all([1, 3, 7, 12, 20].map(persist));
  await rig.stop();
}, 10_000);
