import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AlgorithmName, type Booking, Limiter } from "../../src/algorithms/limiter.js";
import { SingleKey } from "../algorithms/single-key.js";
import { expectAlike, play } from "./player.js";
import { ALGORITHMS, BUCKETS, programs, record, type Sequel, type Step, sequels, step } from "./programs.js";

const RUNS = { numRuns: 150 };

/** Bookings that are made after a program, and given back before what comes later. */
interface Cancelled extends Sequel {
  readonly bookings: readonly Step[];
  /** How much later each is given back. */
  readonly pausesMs: readonly number[];
}

function cancelled(using: AlgorithmName, most: number): fc.Arbitrary<Cancelled> {
  return sequels(using, { quotas: 3 }).chain(({ program, later }) => {
    const booking = step(program.quotas, ["booking"]);
    return record<Cancelled>({
      program: fc.constant(program),
      later: fc.constant(later),
      bookings: fc.array(booking, { minLength: 1, maxLength: most }),
      pausesMs: fc.array(
        booking.map(({ pauseMs }) => pauseMs),
        { minLength: most, maxLength: most },
      ),
    });
  });
}

interface Place {
  readonly cost: number;
  readonly booking: Booking;
}

/** Books a place, unless the call could go at once. */
function book(key: SingleKey, cost: number): Place[] {
  if (key.at(0).decide(cost, 1e12).booking === undefined) return [];
  return [{ cost, booking: key.decide(cost, 1e12).booking! }];
}

function giveBack(key: SingleKey, { cost, booking }: Place): void {
  key.decide(-cost, 0, booking);
}

describe.each(ALGORITHMS)("%s", (using) => {
  test("a booking leaves what a call at its moment would have left", () => {
    fc.assert(
      fc.property(sequels(using, { quotas: 3 }), fc.nat(), ({ program, later }, number) => {
        const { key } = play(using, program);
        const other = key.at(0);
        const cost = (number % key.capacity) + 1;
        const [place] = book(key, cost);
        fc.pre(place !== undefined);
        key.now += place!.booking.waitMs;
        other.now += place!.booking.waitMs;
        other.decide(cost, 1);
        expectAlike(key, other, later);
      }),
      RUNS,
    );
  });

  test("a booking that is given back leaves no trace", () => {
    fc.assert(
      fc.property(cancelled(using, 1), ({ program, bookings, pausesMs, later }) => {
        const { key } = play(using, program);
        const other = key.at(pausesMs[0]!);
        const [place] = book(key, bookings[0]!.cost);
        fc.pre(place !== undefined);
        key.now = other.now;
        giveBack(key, place!);
        expectAlike(key, other, later);
      }),
      RUNS,
    );
  });

  test("bookings that are given back at once, the last one first, leave no trace", () => {
    fc.assert(
      fc.property(cancelled(using, 6), ({ program, bookings, later }) => {
        const { key } = play(using, program);
        const other = key.at(0);
        const places = bookings.flatMap(({ cost }) => book(key, cost));
        for (const place of places.reverse()) giveBack(key, place);
        expectAlike(key, other, later);
      }),
      RUNS,
    );
  });

  test("bookings that are given back one after the other, the last one first, leave no trace", () => {
    fc.assert(
      fc.property(cancelled(using, 6), ({ program, bookings, pausesMs, later }) => {
        const { key } = play(using, program);
        const other = key.at(0);
        const places = bookings.flatMap(({ cost, pauseMs }) => {
          key.now += pauseMs;
          return book(key, cost);
        });
        for (const [i, place] of places.reverse().entries()) {
          key.now += pausesMs[i]!;
          giveBack(key, place);
        }
        other.now = key.now;
        expectAlike(key, other, later);
      }),
      RUNS,
    );
  });

  test("bookings that are given back in any order lock nobody out for longer than a full refill", () => {
    const calls = programs(using, { quotas: 3, kinds: ["call"] });
    fc.assert(
      fc.property(
        calls,
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        (program, costs, picks) => {
          const { key } = play(using, program);
          const places = costs.flatMap((number) => book(key, (number % key.capacity) + 1));
          while (places.length > 0) {
            const [place] = places.splice(picks.next().value! % places.length, 1);
            giveBack(key, place!);
          }
          const usedUp = program.quotas.map((quota) => {
            const one = new SingleKey(new Limiter(using, quota), key.now);
            one.decide(one.capacity);
            return one.peek().resetAfterMs;
          });
          // A sliding window may count the one before as full where units are given back in debt; the moments at which
          // several quotas book lie apart, so that it happens there.
          const late = using === "sliding-window" && program.quotas.length > 1;
          const mostMs = Math.max(...program.quotas.map(({ periodMs }) => (late ? periodMs : 0)));
          expect(key.peek().retryAfterMs).toBeLessThanOrEqual(Math.max(...usedUp) + mostMs);
        },
      ),
      RUNS,
    );
  });
});

describe.each(["fixed-window", ...BUCKETS] as const)("%s", (using) => {
  test("bookings that are given back at once, in any order, leave no trace", () => {
    fc.assert(
      fc.property(cancelled(using, 6), fc.infiniteStream(fc.nat()), ({ program, bookings, later }, picks) => {
        const { key } = play(using, program);
        // Writes down from when on a key counts as exhausted whose clock was set back.
        key.charge(0);
        const other = key.at(0);
        const places = bookings.flatMap(({ cost }) => book(key, cost));
        while (places.length > 0) {
          const [place] = places.splice(picks.next().value! % places.length, 1);
          giveBack(key, place!);
        }
        expectAlike(key, other, later);
      }),
      RUNS,
    );
  });
});
