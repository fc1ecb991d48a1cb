import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Algorithm } from "../../src/algorithms/algorithm.js";
import { AllOf } from "../../src/algorithms/all-of.js";
import { FixedWindow } from "../../src/algorithms/fixed-window.js";
import { SlidingWindow } from "../../src/algorithms/sliding-window.js";
import { TokenBucket } from "../../src/algorithms/token-bucket.js";
import { ALIGNED } from "./single-key.js";

const quota = (limit: number, periodMs: number) => ({ limit, periodMs, burst: limit });

/** Of different sizes, so that the state of each begins where the one before ends. */
const parts: Algorithm[] = [
  new TokenBucket(quota(5, 1_000)),
  new SlidingWindow(quota(7, 3_000)),
  new FixedWindow(quota(6, 2_000)),
  new SlidingWindow(quota(30, 60_000)),
];
const all = new AllOf(parts);
const sizes = [1, 3, 1, 3];

/** Where the states begin in an array that also holds others, which nobody may touch. */
const FIRST = 2;
const OTHERS = -7;

function fresh(): Float64Array {
  const numbers = new Float64Array(FIRST + all.size + 3).fill(OTHERS);
  return numbers.fill(0, FIRST, FIRST + all.size);
}

/** The states of all parts, each on its own. */
function apart(numbers: Float64Array): Float64Array[] {
  let next = FIRST;
  return sizes.map((size) => {
    next += size;
    return numbers.slice(next - size, next);
  });
}

const step = fc.record({
  kind: fc.constantFrom("advance", "charge", "exhaust", "unbook"),
  pauseMs: fc.nat(3_000),
  cost: fc.integer({ min: -3, max: 9 }),
});

describe("several quotas as one", () => {
  test("have the size of all, the smallest capacity and horizon, and the longest refill", () => {
    expect({ ...all }).toEqual({
      size: 8,
      capacity: 5,
      refillMs: 60_000,
      horizonMs: Math.min(...parts.map(({ horizonMs }) => horizonMs)),
    });
    const starts = parts.map((_, index) => all.indexOf(index, FIRST));
    expect(starts).toEqual([2, 3, 6, 7]);
    expect(parts.map((_, index) => all.part(index))).toEqual(parts);
  });

  test("do what each does on its own, side by side, and touch nothing else", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const numbers = fresh();
        const states = apart(numbers);
        let now = ALIGNED;
        for (const { kind, pauseMs, cost } of steps) {
          const from = now;
          now += pauseMs;
          const asked = [1, 5, 6].map((units) => all.wait(numbers, FIRST, from, now, units, false));
          const waits = (units: number) =>
            parts.map((part, i) => part.wait(states[i]!, 0, from, now, units, false));
          expect(asked).toEqual([1, 5, 6].map((units) => Math.max(...waits(units))));
          const left = parts.map((part, i) => part.remaining(states[i]!, 0, from, now));
          expect(all.remaining(numbers, FIRST, from, now)).toBe(Math.min(...left));
          expect(all.decisive(numbers, FIRST, from, now, 0, false)).toBe(left.indexOf(Math.min(...left)));
          expect(all.decisive(numbers, FIRST, from, now, 2, false)).toBe(
            waits(2).indexOf(Math.max(...waits(2))),
          );
          const resets = parts.map((part, i) => part.resetAfterMs(states[i]!, 0, from, now));
          expect(all.resetAfterMs(numbers, FIRST, from, now)).toBe(Math.max(...resets));

          if (kind === "charge") {
            all.charge(numbers, FIRST, from, now, cost);
            for (const [i, part] of parts.entries()) part.charge(states[i]!, 0, from, now, cost);
          } else {
            all.advance(numbers, FIRST, from, now);
            for (const [i, part] of parts.entries()) part.advance(states[i]!, 0, from, now);
          }
          if (kind === "exhaust") {
            all.exhaust(numbers, FIRST, now);
            for (const [i, part] of parts.entries()) part.exhaust(states[i]!, 0, now);
          }
          if (kind === "unbook" && cost > 0) {
            const before = numbers.slice();
            const befores = states.map((state) => state.slice());
            all.charge(numbers, FIRST, now, now, cost);
            for (const [i, part] of parts.entries()) part.charge(states[i]!, 0, now, now, cost);
            const after = numbers.slice();
            const afters = states.map((state) => state.slice());
            all.charge(numbers, FIRST, now, now, 1);
            all.unbook(numbers, FIRST, before, after, now, cost);
            for (const [i, part] of parts.entries()) {
              part.charge(states[i]!, 0, now, now, 1);
              part.unbook!(states[i]!, 0, befores[i]!, afters[i]!, now, cost);
            }
          }
          expect(apart(numbers)).toEqual(states);
          expect([...numbers.slice(0, FIRST), ...numbers.slice(-3)]).toEqual(Array(5).fill(OTHERS));
        }
      }),
      { numRuns: 100 },
    );
  });
});
