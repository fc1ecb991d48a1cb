import { defineConfig } from "vitest/config";
import project from "../../vitest.config.js";

/** The tests of the arithmetic that need no server, and are quick enough to run for each mutant. */
export default defineConfig({
  ...project,
  test: {
    ...project.test,
    globalSetup: [],
    include: [
      "test/algorithms/*.test.ts",
      "test/{cost,limit,peek,quota,quota-text,refund,regressions,several-quotas}.test.ts",
      "test/properties/{oracle,several-quotas}.test.ts",
    ],
  },
});
