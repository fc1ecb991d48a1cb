import fc from "fast-check";
import { expect, test } from "vitest";
import { play, visible } from "./player.js";
import { type Program, programs } from "./programs.js";

test("GCRA decides like the token bucket of the same quotas, field by field", () => {
  fc.assert(
    fc.property(programs("gcra", { quotas: 3, steps: 60 }), (program) => {
      const answers = (using: "gcra" | "token-bucket", each: Program) =>
        play(using, each).taken.map(({ decision }) => visible(decision));
      expect(answers("gcra", program)).toEqual(answers("token-bucket", program));
    }),
    { numRuns: 500 },
  );
});

test("the leaky bucket decides like the token bucket as long as nobody may wait", () => {
  const kinds = ["call", "ask", "charge", "refund", "step back"] as const;
  fc.assert(
    fc.property(programs("leaky-bucket", { quotas: 3, steps: 60, kinds }), (program) => {
      const answers = (using: "leaky-bucket" | "token-bucket") =>
        play(using, program).taken.map(({ decision }) => visible(decision));
      expect(answers("leaky-bucket")).toEqual(answers("token-bucket"));
    }),
    { numRuns: 500 },
  );
});
