import { defineConfig, type Options } from "tsup";

const shared: Options = {
  entry: {
    index: "src/index.ts",
    redis: "src/redis.ts",
    http: "src/integrations/http.ts",
    express: "src/integrations/express.ts",
    fastify: "src/integrations/fastify.ts",
    hono: "src/integrations/hono.ts",
    koa: "src/integrations/koa.ts",
    mcp: "src/integrations/mcp.ts",
    fetch: "src/integrations/fetch.ts",
    nestjs: "src/integrations/nestjs.ts",
    otel: "src/integrations/otel.ts",
    storage: "src/storage.ts",
    testing: "src/testing.ts",
  },
  target: "node20",
  // The core also runs in browsers, workers, Bun and Deno.
  platform: "neutral",
  external: [
    /^node:/,
    "@nestjs/common",
    "@opentelemetry/api",
    "express",
    "fastify",
    "hono",
    "ioredis",
    "koa",
    "lru-cache",
  ],
  removeNodeProtocol: false,
  splitting: true,
  loader: { ".lua": "text" },
  dts: {
    // Consumers with an older `lib` need the types behind `using`.
    banner: '/// <reference lib="esnext.disposable" />',
    compilerOptions: { ignoreDeprecations: "6.0" },
  },
};

export default defineConfig([
  { ...shared, format: "esm", sourcemap: true },
  // Without source maps: for split CommonJS they would hold the absolute path of the build. There classes also need to be told
  // their names, by which they show in errors and in inspect.
  { ...shared, format: "cjs", keepNames: true },
]);
