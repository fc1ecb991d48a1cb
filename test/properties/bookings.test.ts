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

/** Books places of up to the capacity, and gives all of them back in the order that is picked. */
function bookAndGiveBack(key: SingleKey, costs: readonly number[], picks: Iterator<number>): void {
  const places = costs.flatMap((number) => book(key, (number % key.capacity) + 1));
  while (places.length > 0) {
    const [place] = places.splice(picks.next().value! % places.length, 1);
    giveBack(key, place!);
  }
}

/** How long a key would take that is just used up under the slowest of its quotas. */
function refillMs({ limiter, now }: SingleKey): number {
  const usedUp = limiter.quotas.map((quota) => {
    const one = new SingleKey(new Limiter(limiter.algorithm, quota), now);
    one.decide(one.capacity);
    return one.peek().resetAfterMs;
  });
  return Math.max(...usedUp);
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
    // A sliding window of several quotas may be late: see below.
    const calls = programs(using, { quotas: using === "sliding-window" ? 1 : 3, kinds: ["call"] });
    fc.assert(
      fc.property(
        calls,
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        (program, costs, picks) => {
          const { key } = play(using, program);
          bookAndGiveBack(key, costs, picks);
          expect(key.peek().retryAfterMs).toBeLessThanOrEqual(refillMs(key));
        },
      ),
      RUNS,
    );
  });
});

describe("a sliding window of several quotas whose bookings are given back in any order", () => {
  const quotas = [
    { limit: 6, periodMs: 20, burst: 6 },
    { limit: 7, periodMs: 15, burst: 7 },
  ];

  test("locks nobody out for longer than a full refill and a period", () => {
    const calls = programs("sliding-window", { quotas: 3, kinds: ["call"] });
    fc.assert(
      fc.property(
        calls,
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        (program, costs, picks) => {
          const { key } = play("sliding-window", program);
          bookAndGiveBack(key, costs, picks);
          const periodMs = Math.max(...program.quotas.map((quota) => quota.periodMs));
          expect(key.peek().retryAfterMs).toBeLessThanOrEqual(refillMs(key) + periodMs);
        },
      ),
      RUNS,
    );
  });

  // A known limit: the moment of a place is that of the slowest quota, and the others count windows that it passed over.
  test.fails("locks nobody out for longer than a full refill", () => {
    const key = new SingleKey(new Limiter("sliding-window", quotas), 1_700_697_678_855);
    key.decide(6);
    bookAndGiveBack(key, [0, 4, 4], [0, 0, 0].values());
    expect(key.peek().retryAfterMs).toBeLessThanOrEqual(refillMs(key));
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
