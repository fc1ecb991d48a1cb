import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "tsup";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RateLimitResult, Throttled } from "../../src/index.js";
import type { RedisStore } from "../../src/redis.js";
import { ALGORITHMS } from "../support/algorithms.js";
import type { Task } from "../support/counting-process.js";
import { bothVersions, IOREDIS_VERSIONS, type IoredisVersion } from "../support/ioredis-versions.js";
import { DEPLOYMENTS, type Deployment, PREFIX, startDeployments } from "../support/topologies.js";

let dir: string;
let all: Awaited<ReturnType<typeof startDeployments>>;
let versions: ReadonlyMap<string, IoredisVersion>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "throttled-processes-"));
  [all, versions] = await Promise.all([startDeployments(), bothVersions()]);
  await Promise.all(["ioredis", "ioredis-5"].map(bundle));
}, 30_000);
afterAll(async () => {
  await all?.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** One file that runs by itself, over a version of ioredis. */
async function bundle(ioredis: string): Promise<void> {
  await build({
    config: false,
    silent: true,
    entry: { [ioredis]: "test/support/counting-process.ts" },
    outDir: dir,
    format: "esm",
    noExternal: [/./],
    loader: { ".lua": "text" },
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    esbuildOptions: (options) => {
      options.alias = { ioredis };
    },
  });
}

async function run(ioredis: string, task: Task): Promise<number[]> {
  const child = promisify(execFile)(process.execPath, [join(dir, `${ioredis}.js`)]);
  child.child.stdin!.end(JSON.stringify(task));
  return JSON.parse((await child).stdout);
}

function open({ RedisStore }: IoredisVersion, { url, redisOptions }: Deployment): RedisStore {
  return new RedisStore(url, { redisOptions, prefix: `${PREFIX}:${randomUUID()}`, deadline: "5s" });
}

function passed(results: readonly RateLimitResult[]): number {
  return results.filter(({ limited }) => !limited).length;
}

describe.each(DEPLOYMENTS)("on %s", (name) => {
  describe.each(IOREDIS_VERSIONS)("over %s", (version) => {
    test.each(ALGORITHMS)("%s: of 20 calls at once on a limit of 5 exactly 5 pass", async (using) => {
      await using store = open(versions.get(version)!, all.deployments.get(name)!);
      const throttle = new Throttled({ store, using, quota: "5/w" });
      expect(passed(await Promise.all(Array.from({ length: 20 }, () => throttle.limit("key"))))).toBe(5);
      await throttle.reset("key");
      expect(await throttle.limit("key", 5)).toMatchObject({ limited: false, remaining: 0, source: "store" });
    });
  });

  test("stores over both versions of ioredis share a key exactly", async () => {
    const { url, redisOptions } = all.deployments.get(name)!;
    const prefix = `${PREFIX}:${randomUUID()}`;
    const stores = [...versions.values(), ...versions.values()].map(
      ({ RedisStore }) => new RedisStore(url, { redisOptions, prefix, deadline: "5s" }),
    );
    const throttles = stores.map((store) => new Throttled({ store, using: "gcra", quota: "25/w" }));
    const calls = Array.from({ length: 10 }, () => throttles.map((throttle) => throttle.limit("key"))).flat();
    expect(passed(await Promise.all(calls))).toBe(25);
    await Promise.all(stores.map((store) => store.close()));
  });
});

test("processes over both versions of ioredis share a key exactly, on every deployment", async () => {
  const deployments = [...all.deployments.values()].map(({ url, redisOptions }) => ({ url, redisOptions }));
  const task = { prefix: `${PREFIX}:${randomUUID()}`, calls: 20, quota: "50/w", deployments };
  const counts = await Promise.all(
    ["ioredis", "ioredis-5", "ioredis", "ioredis-5"].map((ioredis) => run(ioredis, task)),
  );
  const passed = DEPLOYMENTS.map((name, i) => [name, counts.reduce((sum, each) => sum + each[i]!, 0)]);
  expect(passed).toEqual(DEPLOYMENTS.map((name) => [name, 50]));
});
