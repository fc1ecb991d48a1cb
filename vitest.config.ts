import { availableParallelism } from "node:os";
import { defineConfig, type Plugin } from "vitest/config";

const lua: Plugin = {
  name: "lua",
  enforce: "pre",
  transform: (code, id) => (id.endsWith(".lua") ? `export default ${JSON.stringify(code)}` : undefined),
};

export default defineConfig({
  plugins: [lua],
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 30_000,
    // Many tests wait for servers and deadlines, so two cores keep up with two workers; it would be one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Tests of deadlines and failovers run in real time, also on machines that are busy with something else.
    retry: process.env["CI"] === undefined ? 0 : 1,
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["src/**/*.d.ts"],
      reporter: ["text-summary", "html"],
      reportOnFailure: true,
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
