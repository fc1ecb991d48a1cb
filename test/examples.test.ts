import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { ROOT, Sandbox } from "./support/sandbox.js";

const FOLDER = join(ROOT, "docs/examples");
const EXAMPLES = readdirSync(FOLDER).filter((name) => name.endsWith(".ts"));
const sources = new Map(EXAMPLES.map((name) => [name, readFileSync(join(FOLDER, name), "utf8")]));

let sandbox: Sandbox;

beforeAll(() => {
  sandbox = new Sandbox();
  for (const [name, source] of sources) sandbox.compile(compiled(name), source);
});

afterAll(() => sandbox.remove());

describe("each example prints what its last comment says", () => {
  const printing = [...sources].flatMap(([name, source]) => {
    const prints = /^\/\* Prints:\n(.*?)^\*\/\n$/ms.exec(source)?.[1];
    return prints === undefined ? [] : [{ name, prints }];
  });

  test.each(printing)("$name", async ({ name, prints }) => {
    const ran = await sandbox.run([compiled(name)], { REDIS_URL: inject("redisUrl") });
    expect(ran).toEqual({ stdout: prints, stderr: "", code: 0 });
  });
});

describe("servers", () => {
  // Some seconds may have gone by since the first request.
  const [soon, later] = [expect.stringMatching(/^1?\d$/), expect.stringMatching(/^1(800|7\d\d)$/)];

  /** Starts an example, asks it, and ends it. */
  async function withServer(name: string, ask: (url: string) => Promise<void>): Promise<void> {
    const server = sandbox.start([compiled(name)], { PORT: "0" });
    try {
      const [line] = (await once(createInterface(server.stdout!), "line")) as [string];
      await ask(`http://localhost:${/\d+$/.exec(line)![0]}`);
    } finally {
      server.kill();
    }
  }

  test("the plain one passes five requests and answers 429 with Retry-After to the sixth", async () => {
    await withServer("http-server.ts", async (url) => {
      for (let left = 4; left >= 0; left--) {
        const response = await fetch(url);
        expect([response.status, await response.text()]).toEqual([200, `Hello, ${left} left\n`]);
      }
      const refused = await fetch(url);
      expect([refused.status, refused.headers.get("retry-after"), await refused.text()]).toEqual([
        429,
        "12",
        "Too many requests\n",
      ]);
    });
  });

  test.each(["express", "fastify", "hono", "koa", "nestjs"])(
    "that of %s passes five requests, refuses the sixth, and is healthy all the while",
    async (name) => {
      await withServer(`${name}.ts`, async (url) => {
        for (let left = 4; left >= 0; left--) {
          const response = await fetch(url);
          expect([response.status, await response.text()]).toEqual([200, "Hello\n"]);
          expect(response.headers.get("ratelimit")).toMatch(`"5-in-60s";r=${left};t=`);
        }
        const refused = await fetch(url);
        expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, soon]);
        expect(await refused.json()).toMatchObject({ title: "Quota exceeded" });
        const health = await fetch(`${url}/health`);
        expect([health.status, await health.text()]).toEqual([200, "Fine\n"]);
        expect(health.headers.get("ratelimit")).toBeNull();
      });
    },
  );

  test("that of Express takes back what a login cost that succeeded", async () => {
    await withServer("express.ts", async (url) => {
      const login = (body: string) => fetch(`${url}/login`, { method: "POST", body });
      const statuses = [];
      for (const body of ["secret", "guess", "secret", "guess"]) statuses.push((await login(body)).status);
      expect(statuses).toEqual([204, 401, 204, 401]);
      const refused = await login("secret");
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, later]);
    });
  });

  test.each(["fastify", "nestjs"])("that of %s has a limit of its own for a route", async (name) => {
    await withServer(`${name}.ts`, async (url) => {
      const statuses = [];
      for (const path of ["/report", "/report", "/report", "/"]) {
        statuses.push((await fetch(url + path)).status);
      }
      expect(statuses).toEqual([200, 200, 429, 200]);
    });
  });
});

test("the waiting example goes in order, none before its turn, and the hasty ones leave at once", async () => {
  const { stdout, stderr, code } = await sandbox.run([compiled("waiting.ts")]);
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  const lines = stdout.trimEnd().split("\n");
  const pages = lines.flatMap((line) => {
    const [, page, ms] = /^page (\d) after (\d+) ms$/.exec(line) ?? [];
    return page === undefined ? [] : [{ page: Number(page), ms: Number(ms) }];
  });
  expect(pages.map(({ page }) => page)).toEqual([1, 2, 3, 4, 5]);
  // The moments are counted from the whole millisecond in which the first page went.
  for (const { page, ms } of pages) expect(ms).toBeGreaterThanOrEqual((page - 1) * 50 - 1);
  const rest = lines.filter((line) => !line.startsWith("page"));
  expect(rest).toEqual([
    expect.stringMatching(
      /^refused after \d+ ms: Rate limit exceeded: remaining=15, resetAfterMs=\d+, retryAfterMs=\d+$/,
    ),
    expect.stringMatching(/^gave up after \d+ ms$/),
  ]);
});

test("both stores of the documentation pass the conformance suite", async () => {
  const { stdout, code } = await sandbox.run([
    "--test",
    "--test-reporter=tap",
    compiled("custom-store-test.ts"),
  ]);
  expect({ code, failed: /^# fail (\d+)$/m.exec(stdout)?.[1] }).toEqual({ code: 0, failed: "0" });
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(80);
});

test("the algorithm of the documentation decides on Redis as in memory", async () => {
  const program = `
    import assert from "node:assert/strict";
    import { randomUUID } from "node:crypto";
    import { Limiter, MemoryStore, Throttled } from "throttled";
    import { RedisStore } from "throttled/redis";
    import { ManualClock } from "throttled/testing";
    import { FirstCallWindow } from "./first-call-window.js";

    const clock = new ManualClock();
    const redis = new RedisStore(process.env.REDIS_URL, { clock, prefix: randomUUID() });
    const options = { using: FirstCallWindow, quota: "5/10s; 12/m" };
    const [one, other] = [new MemoryStore({ clock }), redis].map((store) => new Throttled({ ...options, store }));
    let seed = 1;
    const random = (most) => (seed = (seed * 48271) % 2147483647) % (most + 1);
    for (let i = 0; i < 1500; i++) {
      clock.set(clock.now() + random(4000) - (random(9) === 0 ? 6000 : 0));
      const key = "key" + random(2);
      if (random(5) === 0) {
        const units = random(3);
        await Promise.all([one.refund(key, units), other.refund(key, units)]);
      }
      const cost = random(6);
      assert.deepEqual(await one.limit(key, cost), await other.limit(key, cost));
    }

    const limiter = new Limiter(FirstCallWindow, "5/10s");
    for (const store of [one.store, redis]) {
      const waits = [];
      for (let i = 0; i < 12; i++) waits.push((await store.decide(limiter, "queue", 1, 60_000)).booking?.waitMs ?? 0);
      assert.deepEqual(waits, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2].map((window) => window * 10_000));
    }
    await redis.close();
  `;
  sandbox.write("differential.js", program);
  const ran = await sandbox.run(["differential.js"], { REDIS_URL: inject("redisUrl") });
  expect(ran).toEqual({ stdout: "", stderr: "", code: 0 });
});

function compiled(name: string): string {
  return name.replace(/\.ts$/, ".js");
}
