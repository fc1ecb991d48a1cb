import { expect, type TestContext } from "vitest";
import type { RedisStore } from "../../src/redis.js";
import { until } from "./server-node.js";
import { DEADLINE_MS, type SteadyLoad, underLoad } from "./steady-load.js";

/** How soon calls must succeed again after a kill; the servers take half a second to see it. */
export const RECOVERY_MS = 3_000;

/** What is to be survived; it resolves once it is over, with the moment at which it struck. */
export type Fault = (loads: readonly SteadyLoad[]) => Promise<number>;

/** Units that a key may spend: one of twelve has spent some when a fault strikes, and runs out a little later. */
const LOAD = { keys: 12, limit: 40 };

/** Takes a steady load on each store through a fault, and checks what is promised for all of them. */
export async function survives(
  { annotate }: TestContext,
  stores: ReadonlyMap<string, RedisStore>,
  fault: Fault,
  recoveryMs: () => number | Promise<number> = () => RECOVERY_MS,
): Promise<void> {
  await underLoad(stores, LOAD, async (loads) => {
    await Promise.all(loads.map((load) => load.succeeds(0, 5_000)));
    const struck = await fault(loads);
    await Promise.all(loads.map((load) => load.stop()));
    const bound = await recoveryMs();
    for (const load of loads) {
      const [gap, slowest, [least, most]] = [load.gapSince(struck), load.slowestMs, await load.exhaust()];
      const units = `granted ${least} to ${most} of ${LOAD.limit}`;
      const measured = `${load.name}: failed for ${gap} ms, slowest call ${Math.round(slowest)} ms, ${units}`;
      await annotate(measured);
      expect(gap, measured).toBeLessThanOrEqual(bound);
      expect(slowest, measured).toBeLessThanOrEqual(DEADLINE_MS + 50);
      expect(most, measured).toBeLessThanOrEqual(2 * LOAD.limit);
    }
  });
}

/** Strikes, waits until every load has felt it, and then until no call fails any more. */
export async function outage(loads: readonly SteadyLoad[], strike: () => void): Promise<number> {
  const struck = performance.now();
  strike();
  await until("calls fail", 2_000, () => loads.every((load) => load.failedSince(struck).length > 0));
  await succeedAgain(loads);
  return struck;
}

/** Waits until calls that begin from now on succeed. */
export async function succeedAgain(loads: readonly SteadyLoad[]): Promise<void> {
  const now = performance.now();
  await Promise.all(loads.map((load) => load.succeeds(now, 10_000)));
}
