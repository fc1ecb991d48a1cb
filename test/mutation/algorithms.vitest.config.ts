import { defineConfig } from "vitest/config";
import project from "../../vitest.config.js";
import { settings } from "./settings.js";

/** The tests of the arithmetic that are quick enough to run for each mutant. */
export default defineConfig({
  ...project,
  test: {
    ...settings,
    include: [
      "test/algorithms/*.test.ts",
      "test/{cost,limit,quota,refund,regressions,several-quotas}.test.ts",
      "test/properties/{bounds,clock-steps,several-quotas}.test.ts",
      "test/model/verify.test.ts",
    ],
  },
});
