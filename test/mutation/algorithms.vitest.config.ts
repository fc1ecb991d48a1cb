import { defineConfig } from "vitest/config";
import project from "../../vitest.config.js";

/** The tests of the arithmetic that are quick enough to run for each mutant; the model, which is slow, comes last. */
export default defineConfig({
  ...project,
  test: {
    ...project.test,
    include: [
      "test/algorithms/*.test.ts",
      "test/{cost,limit,quota,refund,regressions,several-quotas}.test.ts",
      "test/properties/{bounds,clock-steps,several-quotas}.test.ts",
      "test/model/verify.test.ts",
    ],
  },
});
