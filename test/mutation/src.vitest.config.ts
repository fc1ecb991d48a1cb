import { defineConfig } from "vitest/config";
import project from "../../vitest.config.js";
import { settings } from "./settings.js";

/** The tests of what runs in one process, without those that start many, take long, or say the same once more. */
export default defineConfig({
  ...project,
  test: {
    ...settings,
    include: [
      "test/*.test.ts",
      "test/legacy/nestjs.test.ts",
      "test/{algorithms,integrations,semaphore,stores}/**/*.test.ts",
      "test/faults/{bad-records,clients,clock-steps,closing,deployments,flapping,lost-reply}.test.ts",
      "test/faults/{open-breaker,refusals,semaphore-messages,served}.test.ts",
      "test/properties/{batch,no-trace}.test.ts",
      "test/simulation/emulation.test.ts",
    ],
    exclude: [
      "test/{demo,docs,examples}.test.ts",
      "test/integrations/express-rate-limit.test.ts",
      "test/semaphore/{keys.test.ts,processes/**}",
      // It counts what is left in its process, which others share here.
      "test/semaphore/no-trace.test.ts",
      "test/stores/flood.test.ts",
      "test/stores/redis/batch-cluster.test.ts",
    ],
  },
});
