import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AlgorithmName, type Decision, Limiter } from "../../src/algorithms/limiter.js";
import { SingleKey } from "../algorithms/single-key.js";
import { Player, play, visible } from "./player.js";
import {
  ALGORITHMS,
  type Program,
  programs,
  type Step,
  type StepKind,
  smallQuota,
  WINDOWS,
} from "./programs.js";

const RUNS = { numRuns: 150 };

/** The same quotas as keys of their own, which have to be asked one by one. */
class Separate {
  readonly #keys: SingleKey[];

  constructor(using: AlgorithmName, { quotas, startMs }: Program) {
    this.#keys = quotas.map((quota) => new SingleKey(new Limiter(using, quota), startMs));
  }

  take({ pauseMs, cost, maxWaitMs }: Step): Decision {
    for (const key of this.#keys) key.now += pauseMs;
    const asked = this.#keys.map((key) => key.at(0).decide(cost, maxWaitMs));
    const longest = Math.max(...asked.map(({ retryAfterMs }) => retryAfterMs));
    if (asked.some(({ limited }) => limited)) {
      const index = asked.findIndex(({ retryAfterMs }) => retryAfterMs === longest);
      return { ...asked[index]!, quotaIndex: index };
    }
    const taken = cost === 0 ? asked : this.#keys.map((key) => key.decide(cost, maxWaitMs));
    const left = taken.map(({ remaining }) => remaining);
    const scarcest = left.indexOf(Math.min(...left));
    // Asking tells how long a cost of 1 has to wait for all of them.
    return { ...taken[scarcest]!, quotaIndex: scarcest, retryAfterMs: longest };
  }
}

/** Nothing that books a place: what one quota books depends on the others. */
function immediate(using: AlgorithmName): fc.Arbitrary<Program> {
  return programs(using, { quotas: 4, kinds: ["call", "ask", "charge", "refund"] });
}

describe.each(ALGORITHMS)("several quotas: %s", (using) => {
  test("all pass or none does, and the answer is that of the scarcest or of the longest to refuse", () => {
    fc.assert(
      fc.property(immediate(using), (program) => {
        const together = new Player(using, program);
        const separate = new Separate(using, program);
        for (const step of program.steps) expect(together.take(step)).toEqual(separate.take(step));
      }),
      RUNS,
    );
  });

  test("the same one twice answers as once", () => {
    fc.assert(
      fc.property(programs(using, {}), (program) => {
        const twice = play(using, { ...program, quotas: [...program.quotas, ...program.quotas] }).taken;
        const answers = (taken: typeof twice) => taken.map(({ decision }) => visible(decision));
        expect(answers(twice)).toEqual(answers(play(using, program).taken));
      }),
      RUNS,
    );
  });
});

/** A quota beside those of a program that none of its calls comes near. */
const ROOMY = { limit: 2 ** 20, periodMs: 1, burst: 2 ** 20 };

/** What is decided, and not which quota the other numbers are of. */
function decided(using: AlgorithmName, program: Program): object[] {
  return play(using, program).taken.map(({ decision: { limited, retryAfterMs, booking } }) => ({
    limited,
    retryAfterMs,
    waitMs: booking?.waitMs,
  }));
}

function expectRoomyToDecideNothing(using: AlgorithmName, kinds: readonly StepKind[]): void {
  fc.assert(
    fc.property(programs(using, { kinds, quota: smallQuota }), (program) => {
      const beside = { ...program, quotas: [ROOMY, ...program.quotas] };
      expect(decided(using, beside)).toEqual(decided(using, program));
    }),
    RUNS,
  );
}

describe("a quota that is never reached decides nothing", () => {
  test.each([...WINDOWS, "token-bucket", "gcra"] as const)("%s", (using) => {
    expectRoomyToDecideNothing(using, ["call", "ask", "booking"]);
  });

  test("leaky-bucket, on calls that may wait", () => {
    expectRoomyToDecideNothing("leaky-bucket", ["booking"]);
  });

  // A known limit: with several quotas, a call that does not wait queues behind the paced ones, as what they booked fills
  // every quota up to their moments.
  test.fails("leaky-bucket, on calls that pass those that wait", () => {
    expectRoomyToDecideNothing("leaky-bucket", ["call", "ask", "booking"]);
  });
});
