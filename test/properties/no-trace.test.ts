import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectAlike, Player, play, visible } from "./player.js";
import { ALGORITHMS, FORWARD, programs, sequels } from "./programs.js";

const RUNS = { numRuns: 150 };

describe.each(ALGORITHMS)("%s", (using) => {
  test("a refused call changes nothing", () => {
    fc.assert(
      fc.property(programs(using, { quotas: 3, kinds: FORWARD }), (program) => {
        const { key } = play(using, program);
        const { record } = key;
        const unchanged = structuredClone(record);
        for (const cost of [key.peek().remaining + 1, key.capacity, key.capacity + 1]) {
          if (!key.at(0).decide(cost).limited) continue;
          const { retryAfterMs } = key.decide(cost);
          // Nor does one that may wait, for a moment too short.
          key.decide(cost, using === "leaky-bucket" ? 0 : Math.min(retryAfterMs - 1, 1e9));
          expect(key.record).toBe(record);
        }
        expect(record).toEqual(unchanged);
      }),
      RUNS,
    );
  });

  test("a call of no cost changes nothing, whatever the clock did", () => {
    fc.assert(
      fc.property(programs(using, { quotas: 3 }), fc.nat(1e6), (program, maxWaitMs) => {
        const { key } = play(using, program);
        const { record } = key;
        const unchanged = structuredClone(record);
        expect(key.decide(0, maxWaitMs).limited).toBe(false);
        expect(key.record).toBe(record);
        expect(record).toEqual(unchanged);
      }),
      RUNS,
    );
  });

  test("a record can be dropped as soon as its time has passed, and nobody sees it", () => {
    fc.assert(
      fc.property(programs(using, { quotas: 3, kinds: FORWARD }), (program) => {
        const kept = new Player(using, program);
        const dropped = new Player(using, program);
        for (const step of program.steps) {
          const { key } = dropped;
          if (key.now + step.pauseMs >= key.expiresAt) key.record = undefined;
          expect(visible(dropped.take(step))).toEqual(visible(kept.take(step)));
        }
      }),
      RUNS,
    );
  });

  test("time that passes in steps is as long as time that passes at once", () => {
    fc.assert(
      fc.property(
        sequels(using, { quotas: 3, kinds: FORWARD }),
        fc.array(fc.nat(5000)),
        ({ program, later }, stops) => {
          const { key } = play(using, program);
          const other = key.at(0);
          for (const ms of stops) {
            key.now += ms;
            other.now += ms;
            // Charges nothing, but writes the record anew.
            key.charge(0);
          }
          expectAlike(key, other, later);
        },
      ),
      RUNS,
    );
  });
});
