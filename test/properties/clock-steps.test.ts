import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AlgorithmName } from "../../src/algorithms/limiter.js";
import type { Quota } from "../../src/quota.js";
import type { SingleKey } from "../algorithms/single-key.js";
import { type Player, play } from "./player.js";
import { ALGORITHMS, BUCKETS, FORWARD, type Program, programs, smallQuota } from "./programs.js";

const RUNS = { numRuns: 150 };

/** Milliseconds in which an exhausted key recovers: a period for windows. */
function refillMs(quotas: readonly Quota[]): number {
  return Math.max(...quotas.map(({ limit, periodMs, burst }) => Math.ceil((burst * periodMs) / limit)));
}

/** A key whose record was written just now, so that any step back is one behind it. */
function justWritten(using: AlgorithmName, program: Program): SingleKey {
  const { key } = play(using, program);
  key.charge(0);
  fc.pre(key.record !== undefined);
  return key;
}

const steps = fc.oneof(fc.nat(50), fc.nat(2 ** 33), fc.nat(1e12));

describe.each(ALGORITHMS)("%s, on a clock that is set back", (using) => {
  test("stands still within a full refill: all is as it was, and that much further away", () => {
    fc.assert(
      fc.property(
        programs(using, { quotas: 3, kinds: FORWARD }),
        steps,
        fc.nat(),
        (program, step, number) => {
          const key = justWritten(using, program);
          const back = key.at(-(step % (refillMs(program.quotas) + 1)));
          const backMs = key.now - back.now;
          const cost = number % (key.capacity + 2);
          const then = key.decide(cost);
          const later = (ms: number): number => (ms === 0 ? 0 : ms + backMs);
          expect(back.decide(cost)).toEqual({
            ...then,
            resetAfterMs: later(then.resetAfterMs),
            retryAfterMs: later(then.retryAfterMs),
          });
        },
      ),
      RUNS,
    );
  });

  test("counts as just exhausted beyond, for no longer than a full refill", () => {
    const calls = programs(using, { quotas: 3, kinds: ["call"] });
    fc.assert(
      fc.property(calls, steps, (program, step) => {
        const key = justWritten(using, program);
        const refill = refillMs(program.quotas);
        key.now = Math.max(0, key.now - refill - 1 - step);
        fc.pre(key.record![0]! - key.now > refill);
        expect(key.peek().remaining).toBe(0);
        const { limited, remaining, retryAfterMs } = key.decide(1);
        expect({ limited, remaining }).toEqual({ limited: true, remaining: 0 });
        expect(retryAfterMs).toBeLessThanOrEqual(refill);
        expect(key.at(retryAfterMs).decide(1).limited).toBe(false);
        expect(key.at(retryAfterMs - 1).decide(1).limited).toBe(true);
      }),
      RUNS,
    );
  });

  test("has no more to spend than before, and makes no cost pass sooner", () => {
    fc.assert(
      fc.property(programs(using, { quotas: 3 }), steps, fc.nat(), (program, step, number) => {
        const key = justWritten(using, program);
        const back = key.at(-Math.min(step, key.now));
        const cost = (number % key.capacity) + 1;
        const { remaining } = key.peek();
        expect(back.peek().remaining).toBeLessThanOrEqual(remaining);
        if (key.decide(cost).limited) expect(back.decide(cost).limited).toBe(true);
      }),
      RUNS,
    );
  });
});

/** How far the clock went forward in all, and the units that passed. */
function totals({ taken }: Player, startMs: number): { forwardMs: number; units: number; backs: number } {
  let [now, forwardMs, units, backs] = [startMs, 0, 0, 0];
  for (const { step, now: at, decision } of taken) {
    forwardMs += Math.max(at - now, 0);
    if (at < now) backs++;
    if (!decision.limited) units += step.cost;
    now = at;
  }
  return { forwardMs, units, backs };
}

/** Calls on a clock that goes back and forth. */
function oscillations(using: AlgorithmName): fc.Arbitrary<Program> {
  return programs(using, { kinds: ["call", "step back"], steps: 80, quota: smallQuota });
}

describe.each(BUCKETS)("%s, on a clock that goes back and forth", (using) => {
  test("grants at most its burst and what refills while the clock goes forward", () => {
    fc.assert(
      fc.property(oscillations(using), (program) => {
        const { limit, periodMs, burst } = program.quotas[0]!;
        const { forwardMs, units } = totals(play(using, program), program.startMs);
        expect(units).toBeLessThanOrEqual(burst + Math.floor((forwardMs * limit) / periodMs));
      }),
      RUNS,
    );
  });
});

describe("fixed-window, on a clock that goes back and forth", () => {
  test("grants at most its limit each time the clock goes forward into another window", () => {
    fc.assert(
      fc.property(oscillations("fixed-window"), (program) => {
        const { limit, periodMs } = program.quotas[0]!;
        const player = play("fixed-window", program);
        let [window, entered] = [Math.floor(program.startMs / periodMs), 1];
        for (const { now } of player.taken) {
          const next = Math.floor(now / periodMs);
          entered += Math.max(next - window, 0);
          window = next;
        }
        expect(totals(player, program.startMs).units).toBeLessThanOrEqual(limit * entered);
      }),
      RUNS,
    );
  });
});

describe("sliding-window, on a clock that goes back and forth", () => {
  test("grants at most what fades while the clock goes forward, and less than a unit each time it is set back", () => {
    fc.assert(
      fc.property(oscillations("sliding-window"), (program) => {
        const { limit, periodMs } = program.quotas[0]!;
        const { forwardMs, units, backs } = totals(play("sliding-window", program), program.startMs);
        expect(units).toBeLessThan(limit + ((forwardMs + 1) * limit) / periodMs + backs);
      }),
      RUNS,
    );
  });
});
