import { defineConfig } from "vitest/config";
import project from "../../vitest.config.js";

/** All tests of what runs in one process, without those that start many, or wait for real time. */
export default defineConfig({
  ...project,
  test: {
    ...project.test,
    include: ["test/*.test.ts", "test/{algorithms,integrations,properties,semaphore,stores}/**/*.test.ts"],
    exclude: [
      "test/{demo,docs,examples}.test.ts",
      "test/semaphore/processes/**",
      "test/stores/flood.test.ts",
    ],
  },
});
