import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { node, ROOT } from "./node.js";

/** A project that has installed the package as it would be published, and beside it only what it depends on. */
let project: string;
const installed = (): string => join(project, "node_modules", "throttled");
const write = (file: string, text: string): void => writeFileSync(join(project, file), text);

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "throttled-tarball-"));
  mkdirSync(installed(), { recursive: true });
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", project];
  execFileSync("npm", pack, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
  const tarball = readdirSync(project).find((file) => file.endsWith(".tgz"));
  execFileSync("tar", ["-xzf", `${tarball}`, "-C", installed(), "--strip-components=1"], { cwd: project });
  symlinkSync(join(ROOT, "node_modules", "lru-cache"), join(project, "node_modules", "lru-cache"), "dir");
  write("package.json", JSON.stringify({ name: "project", private: true }));
});

afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

const USE = `
  const limiter = new Throttled({ key: "k", quota: "2/h", store: new MemoryStore({ clock: new ManualClock() }) });
  const results = [limiter.limitSync(), limiter.limitSync(), limiter.limitSync()];
  console.log(results.map(({ limited }) => limited).join());`;
const printed = { output: "false,false,true\n", code: 0, signal: null };

describe("the tarball", () => {
  test("holds what was built, what a reader needs, and nothing else", () => {
    expect(readdirSync(installed()).sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "dist",
      "package.json",
    ]);
  });

  test("works from ESM", async () => {
    const source = `import { MemoryStore, Throttled } from "throttled"; import { ManualClock } from "throttled/testing";`;
    write("esm.mjs", source + USE);
    expect(await node(["esm.mjs"], project)).toEqual(printed);
  });

  test("works from CommonJS", async () => {
    const source = `const { MemoryStore, Throttled } = require("throttled"); const { ManualClock } = require("throttled/testing");`;
    write("cjs.cjs", source + USE);
    expect(await node(["cjs.cjs"], project)).toEqual(printed);
  });

  test("does without ioredis as long as nobody asks for the Redis store", async () => {
    write("redis.mjs", `import("throttled/redis").catch((error) => console.log(error.message))`);
    const { output } = await node(["redis.mjs"], project);
    expect(output).toContain("'ioredis'");
  });

  test("lets out nothing that its exports don't name", async () => {
    write("inside.mjs", `import("throttled/dist/index.js").catch((error) => console.log(error.code))`);
    expect(await node(["inside.mjs"], project)).toMatchObject({ output: "ERR_PACKAGE_PATH_NOT_EXPORTED\n" });
  });
});

describe("a TypeScript project without types of Node or the DOM, that checks its libraries", () => {
  const SOURCE = `
    import { isLimitedError, MemoryStore, type RateLimitResult, Throttled, throttled } from "throttled";
    import { throttledFetch } from "throttled/fetch";
    import type { RedisStore } from "throttled/redis";
    import { ManualClock, storeConformance } from "throttled/testing";

    declare const console: { log(text: string): void };
    const clock = new ManualClock();
    const limiter = new Throttled({ quota: "2/h; 9/d", store: new MemoryStore({ clock }) });

    class Api {
      @throttled(limiter, { key: (id: string) => id }) async get(id: string): Promise<string> {
        return id;
      }
    }

    async function main(): Promise<string> {
      {
        await using permit = await limiter.acquire("k", { timeout: "1s" });
        using other = limiter.acquireSync("k");
        if (permit.remaining + other.remaining !== 1) return "wrong";
      }
      const result: RateLimitResult = await limiter.limit("k");
      const caught: unknown = await limiter.acquire("k").catch((error: unknown) => error);
      const send = async (_url: string) => ({ status: 200, headers: { get: () => null }, sent: true });
      const { sent } = await throttledFetch({ key: ({ origin }) => origin, fetch: send })("http://far.example");
      return [result.limited, isLimitedError(caught) && caught.key, await new Api().get("42"), sent].join();
    }

    export function conform(test: (name: string, run: () => Promise<void>) => void): void {
      storeConformance({ test, create: (clock) => new MemoryStore({ clock }) });
    }
    export type Options = ConstructorParameters<typeof RedisStore>;
    void main().then((text) => console.log(text));`;

  function compile(files: readonly string[], options: object) {
    const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false };
    const target = { target: "ES2022", lib: ["ES2022"], types: [], rootDir: ".", outDir: "out" };
    for (const file of files) write(file, SOURCE);
    write("tsconfig.json", JSON.stringify({ compilerOptions: { ...strict, ...target, ...options }, files }));
    return node([join(ROOT, "node_modules", "typescript", "bin", "tsc"), "-p", "."], project);
  }

  const compiled = { output: "", code: 0, signal: null };

  test("compiles for ESM and CommonJS, and runs as both", async () => {
    expect(await compile(["esm.mts", "cjs.cts"], { module: "nodenext" })).toEqual(compiled);
    for (const file of ["esm.mjs", "cjs.cjs"]) {
      const ran = await node([join("out", file)], project);
      expect(ran).toEqual({ output: "true,k,42,true\n", code: 0, signal: null });
    }
  });

  test("compiles with the resolution of bundlers, and with legacy decorators", async () => {
    const options = { module: "esnext", moduleResolution: "bundler", experimentalDecorators: true };
    expect(await compile(["bundled.ts"], options)).toEqual(compiled);
  });
});
