import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Decision } from "../../src/algorithms/limiter.js";
import { ModelKey } from "./model.js";
import { Player } from "./player.js";
import { ALGORITHMS, programs, smallQuota } from "./programs.js";

function told({ source: _, booking, ...answer }: Decision): Omit<Decision, "source"> & { waitMs: number } {
  return { ...answer, waitMs: booking?.waitMs ?? 0 };
}

describe.each(ALGORITHMS)("%s decides as its rule says", (using) => {
  test("calls at once and booked ones, over one quota and several", () => {
    const calls = programs(using, { quotas: 3, kinds: ["call", "ask", "booking"], quota: smallQuota });
    fc.assert(
      fc.property(calls, (program) => {
        const player = new Player(using, program);
        const model = new ModelKey(using, program.quotas);
        for (const step of program.steps) {
          const decision = player.take(step);
          expect(told(decision)).toEqual(model.decide(player.key.now, step.cost, step.maxWaitMs));
        }
      }),
      { numRuns: 150 },
    );
  });

  test("charges into debt, and units given back to a key that owes nothing", () => {
    const mixed = programs(using, { kinds: ["call", "booking", "charge", "refund"], quota: smallQuota });
    fc.assert(
      fc.property(mixed, (program) => {
        const player = new Player(using, program);
        const model = new ModelKey(using, program.quotas);
        for (const step of program.steps) {
          // Units that are given back while others wait are a matter of the queue, and not of the rule.
          if (step.cost < 0 && !model.isSettled(player.key.now + step.pauseMs)) continue;
          const decision = player.take(step);
          expect(told(decision)).toEqual(model.decide(player.key.now, step.cost, step.maxWaitMs));
        }
      }),
      { numRuns: 150 },
    );
  });
});
