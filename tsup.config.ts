import { defineConfig } from "tsup";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    redis: "src/redis.ts",
    testing: "src/testing.ts",
  },
  format: ["esm", "cjs"],
  target: "node20",
  // The core also runs in browsers, workers, Bun and Deno.
  platform: "neutral",
  external: [/^node:/, "ioredis", "lru-cache"],
  splitting: true,
  sourcemap: true,
  clean: true,
  loader: { ".lua": "text" },
  dts: {
    // Consumers with an older `lib` need the types behind `using`.
    banner: '/// <reference lib="esnext.disposable" />',
    compilerOptions: { ignoreDeprecations: "6.0" },
  },
});
