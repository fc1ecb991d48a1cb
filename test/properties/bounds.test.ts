import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AlgorithmName } from "../../src/algorithms/limiter.js";
import { type Exact, eachInterval, exact, type Passed, passed, perWindow } from "./intervals.js";
import { play } from "./player.js";
import { BUCKETS, programs, type StepKind, WINDOWS } from "./programs.js";

const RUNS = { numRuns: 150 };

/** Calls at once and booked ones, mixed, at a clock that runs forward. */
const CALLS: readonly StepKind[] = ["call", "ask", "booking"];
/** The same with units given back, so that as many more may pass. */
const REFUNDS: readonly StepKind[] = [...CALLS, "refund", "cancel"];

/** Holds what passed against a bound, for each of several quotas; `extra` units were given back. */
function expectBound(
  using: AlgorithmName,
  kinds: readonly StepKind[],
  check: (calls: readonly Passed[], quota: Exact, extra: bigint) => void,
): void {
  fc.assert(
    fc.property(programs(using, { quotas: 3, kinds, steps: 50 }), (program) => {
      const player = play(using, program);
      for (const quota of program.quotas) check(passed(player), exact(quota), BigInt(player.givenBack));
    }),
    RUNS,
  );
}

function bucketBound(calls: readonly Passed[], { limit, periodMs, burst }: Exact, extra: bigint): void {
  eachInterval(calls, (ms, units) => {
    if (units > burst + (ms * limit) / periodMs + extra) expect.fail(`${units} units in ${ms} ms`);
  });
}

function windowBound(calls: readonly Passed[], { limit, periodMs }: Exact, extra: bigint): void {
  expect(perWindow(calls, periodMs).filter((units) => units > limit + extra)).toEqual([]);
}

/** Below limit * (1 + d / period) in any half-open interval: the shortest that holds calls `ms` apart is 1 longer. */
function slidingBound(calls: readonly Passed[], { limit, periodMs }: Exact, extra: bigint): void {
  eachInterval(calls, (ms, units) => {
    const d = ms + 1n;
    if (d >= periodMs || (units - extra) * periodMs < limit * (periodMs + d)) return;
    expect.fail(`${units} units in ${d} ms`);
  });
}

describe.each(BUCKETS)("%s", (using) => {
  test("lets at most burst + floor(t * limit / period) units pass in any t milliseconds", () => {
    expectBound(using, CALLS, bucketBound);
  });

  test("lets at most as many more units pass as were given back", () => {
    expectBound(using, REFUNDS, bucketBound);
  });
});

describe.each(WINDOWS)("%s", (using) => {
  test("lets at most its limit pass in any window", () => {
    expectBound(using, CALLS, windowBound);
  });

  test("lets at most as many more units pass as were given back", () => {
    expectBound(using, REFUNDS, windowBound);
  });
});

describe("sliding-window", () => {
  test("lets less than limit * (1 + d / period) units pass in any d milliseconds below a period", () => {
    expectBound("sliding-window", CALLS, slidingBound);
  });

  test("lets at most as many more units pass as were given back", () => {
    expectBound("sliding-window", REFUNDS, slidingBound);
  });
});

describe("leaky-bucket", () => {
  test("paces calls that may wait: in t milliseconds all but the last drain in less than t + 1", () => {
    expectBound("leaky-bucket", ["booking"], (calls, { limit, periodMs }) => {
      calls.forEach(({ at: from }, i) => {
        let before = 0n;
        for (const { at, units } of calls.slice(i)) {
          if (before * periodMs >= limit * (at - from + 1n))
            expect.fail(`${before} units in ${at - from} ms`);
          before += units;
        }
      });
    });
  });

  test("lets a paced call go in the millisecond in which all before it has drained", () => {
    const paced = programs("leaky-bucket", { kinds: ["booking"] });
    fc.assert(
      fc.property(paced, fc.integer({ min: 1, max: 1000 }), (program, maxWaitMs) => {
        const { limit, periodMs, burst } = program.quotas[0]!;
        const { key } = play("leaky-bucket", program);
        const drainedMs = key.peek().resetAfterMs;
        const decision = key.decide(1, maxWaitMs);
        // In a bucket that holds less than what drains in a millisecond it has to wait for room as well.
        fc.pre(!decision.limited && (burst - 1) * periodMs >= limit - 1);
        expect([Math.max(drainedMs - 1, 0), drainedMs]).toContain(decision.booking?.waitMs ?? 0);
      }),
      RUNS,
    );
  });
});
