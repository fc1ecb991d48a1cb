import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AlgorithmName } from "../../src/algorithms/limiter.js";
import type { SingleKey } from "../algorithms/single-key.js";
import { expectAlike, Player, play, visible } from "./player.js";
import { ALGORITHMS, type Program, programs, record, sequels, step } from "./programs.js";

const RUNS = { numRuns: 150 };

/** A key in any state, and a call that comes next. */
function situations(using: AlgorithmName, quotas: number): fc.Arbitrary<{ program: Program; cost: number }> {
  return programs(using, { quotas }).chain((program) =>
    record({
      program: fc.constant(program),
      cost: step(program.quotas, ["call"]).map(({ cost }) => cost),
    }),
  );
}

describe.each(ALGORITHMS)("%s", (using) => {
  test("`remaining` can be spent, and not one unit more", () => {
    fc.assert(
      fc.property(programs(using, { quotas: 3 }), (program) => {
        const { key } = play(using, program);
        const { remaining, limit } = key.peek();
        expect(remaining).toBeLessThanOrEqual(limit);
        if (remaining > 0) expect(key.at(0).decide(remaining).limited).toBe(false);
        expect(key.at(0).decide(remaining + 1).limited).toBe(true);
      }),
      RUNS,
    );
  });

  test("`remaining` of an answer is what is left after it", () => {
    fc.assert(
      fc.property(situations(using, 3), ({ program, cost }) => {
        const { key } = play(using, program);
        const before = key.peek().remaining;
        const { limited, remaining, retryAfterMs } = key.decide(cost);
        const left = key.peek().remaining;
        if (limited) expect(left).toBe(before);
        else expect([remaining, retryAfterMs]).toEqual([left, 0]);
      }),
      RUNS,
    );
  });

  test("a refused cost passes at `retryAfterMs` and not a millisecond earlier, or never", () => {
    fc.assert(
      fc.property(situations(using, 3), ({ program, cost }) => {
        const { key } = play(using, program);
        const { limited, retryAfterMs } = key.decide(cost);
        fc.pre(limited);
        expect(retryAfterMs === Number.POSITIVE_INFINITY).toBe(cost > key.capacity);
        if (cost > key.capacity)
          expect(key.at(2 ** 48).decide(cost)).toMatchObject({ limited, retryAfterMs });
        else expectToPassExactlyAt(key, retryAfterMs, cost);
      }),
      RUNS,
    );
  });

  test("asked without spending, `retryAfterMs` is the wait for a cost of 1", () => {
    fc.assert(
      fc.property(programs(using, { quotas: 3 }), (program) => {
        const { key } = play(using, program);
        expect(key.peek().retryAfterMs).toBe(key.at(0).decide(1).retryAfterMs);
      }),
      RUNS,
    );
  });

  test("a place is booked at the first moment at which the call passes, with the numbers of that moment", () => {
    fc.assert(
      fc.property(situations(using, 3), fc.nat(1e9), ({ program, cost }, maxWaitMs) => {
        const { key } = play(using, program);
        const before = key.at(0);
        const { booking, ...booked } = key.decide(cost, maxWaitMs);
        fc.pre(booking !== undefined);
        const { waitMs } = booking!;
        // Asked as one that may wait: those are paced by the leaky bucket.
        expect(visible(before.at(waitMs).decide(cost, 1))).toEqual(booked);
        expect(before.at(waitMs - 1).decide(cost, 1)).toMatchObject({ booking: { waitMs: 1 } });
        if (using === "leaky-bucket") return;
        expect(before.decide(cost).retryAfterMs).toBe(waitMs);
      }),
      RUNS,
    );
  });

  test("a call is refused if its place is further away than it may wait, and told how far", () => {
    fc.assert(
      fc.property(situations(using, 3), ({ program, cost }) => {
        const { key } = play(using, program);
        const booking = key.at(0).decide(cost, 1e15).booking;
        fc.pre(booking !== undefined && booking.waitMs > 1);
        const { waitMs } = booking!;
        expect(key.at(0).decide(cost, waitMs)).toMatchObject({ limited: false, booking: { waitMs } });
        const refused = { limited: true, retryAfterMs: waitMs };
        expect(key.decide(cost, waitMs - 1)).toMatchObject(refused);
        expect(key.decide(cost, 1)).toMatchObject(refused);
      }),
      RUNS,
    );
  });

  test("a key is as good as fresh at `resetAfterMs`, for ever, and not a millisecond earlier", () => {
    fc.assert(
      fc.property(sequels(using, {}), ({ program, later }) => {
        const { key } = play(using, program);
        const { resetAfterMs } = key.peek();
        if (resetAfterMs > 0) expect(key.at(resetAfterMs - 1).peek().remaining).toBeLessThan(key.capacity);
        const reset = key.at(resetAfterMs);
        const fresh = new Player(using, { ...program, startMs: reset.now }).key;
        expectAlike(reset, fresh, later);
      }),
      RUNS,
    );
  });

  test("every number is whole, and none is below 0", () => {
    fc.assert(
      fc.property(programs(using, { quotas: 3 }), (program) => {
        for (const { decision } of play(using, program).taken) {
          const { remaining, resetAfterMs, retryAfterMs, booking } = decision;
          const numbers = [remaining, resetAfterMs, booking?.waitMs ?? 1];
          if (retryAfterMs !== Number.POSITIVE_INFINITY) numbers.push(retryAfterMs);
          expect(numbers.filter((number) => !Number.isSafeInteger(number) || number < 0)).toEqual([]);
        }
      }),
      RUNS,
    );
  });
});

function expectToPassExactlyAt(key: SingleKey, ms: number, cost: number): void {
  expect(key.at(ms).decide(cost)).toMatchObject({ limited: false, retryAfterMs: 0 });
  expect(key.at(ms - 1).decide(cost)).toMatchObject({ limited: true, retryAfterMs: 1 });
}
