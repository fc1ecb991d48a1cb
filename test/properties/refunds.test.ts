import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectAlike, Player, play } from "./player.js";
import { ALGORITHMS, programs, sequels, smallQuota } from "./programs.js";

const RUNS = { numRuns: 150 };

describe.each(ALGORITHMS)("units given back: %s", (using) => {
  test("make a key fresh if all that was spent is given back, and never better than that", () => {
    const kinds = ["call", "ask", "charge", "refund", "step back"] as const;
    fc.assert(
      fc.property(sequels(using, { quotas: 3, kinds }), fc.nat(), ({ program, later }, more) => {
        const player = play(using, program);
        const { key } = player;
        const spent = player.taken.map(({ step, decision }) =>
          decision.limited ? 0 : Math.max(step.cost, 0),
        );
        // A key that counts as exhausted owes its capacity without having spent it.
        const capacities = key.limiter.quotas.map((_, i) => key.limiter.capacity(i));
        key.refund(
          spent.reduce((sum, cost) => sum + cost, Math.max(...capacities) * spent.length + more + 1),
        );
        // A clock that was set back has to come up with the record first.
        key.now = Math.max(key.now, key.record?.[0] ?? 0);
        expectAlike(key, new Player(using, { ...program, startMs: key.now }).key, later);
      }),
      RUNS,
    );
  });

  test("can be spent: as many more as were given back, if this window or bucket had spent as many", () => {
    fc.assert(
      fc.property(programs(using, { kinds: ["call"] }), fc.nat(), fc.nat(), (program, one, other) => {
        const { key } = play(using, program);
        const before = key.peek().remaining;
        fc.pre(before > 0);
        const spent = (one % before) + 1;
        key.decide(spent);
        const units = (other % spent) + 1;
        const { remaining, limited, retryAfterMs } = key.refund(units);
        expect({ remaining, limited, retryAfterMs }).toEqual({
          remaining: before - spent + units,
          limited: false,
          retryAfterMs: 0,
        });
        expect(key.peek().remaining).toBe(remaining);
      }),
      RUNS,
    );
  });

  test("make nothing worse: no less remains, and nothing waits longer", () => {
    fc.assert(
      fc.property(programs(using, { quotas: 3 }), fc.nat(1e6), fc.nat(), (program, units, number) => {
        const { key } = play(using, program);
        const cost = (number % key.capacity) + 1;
        const [left, before] = [key.peek().remaining, key.at(0).decide(cost)];
        // Writes down from when on a key counts as exhausted whose clock was set back.
        key.charge(0);
        key.refund(units + 1);
        expect(key.peek().remaining).toBeGreaterThanOrEqual(left);
        expect(key.at(0).decide(cost).retryAfterMs).toBeLessThanOrEqual(before.retryAfterMs);
      }),
      RUNS,
    );
  });

  test("of a call that was charged leave no trace, if given back at once", () => {
    fc.assert(
      fc.property(sequels(using, { kinds: ["call"] }), fc.nat(), ({ program, later }, number) => {
        const { key } = play(using, program);
        const other = key.at(0);
        const cost = (number % key.capacity) + 1;
        fc.pre(!key.decide(cost).limited);
        key.refund(cost);
        expectAlike(key, other, later);
      }),
      RUNS,
    );
  });

  // A known limit: in debt, a sliding window has no room to remember the use of the window before, and takes it as full.
  const remembers = using === "sliding-window" ? test.fails : test;
  remembers("of a charge into debt leave no trace, if given back at once", () => {
    fc.assert(
      fc.property(
        sequels(using, { kinds: ["call"], quota: smallQuota }),
        fc.nat(),
        ({ program, later }, number) => {
          const { key } = play(using, program);
          const other = key.at(0);
          const cost = (number % (3 * key.capacity)) + 1;
          key.charge(cost);
          key.refund(cost);
          expectAlike(key, other, later);
        },
      ),
      RUNS,
    );
  });
});
