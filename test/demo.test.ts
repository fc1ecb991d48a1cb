import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, inject, type TestContext, test } from "vitest";
import { type AlgorithmName, type KeyState, Limiter, parseQuota } from "../src/index.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DEMO = join(ROOT, "docs/demo/demo.mjs");
const TITLES = ["Fixed window", "Sliding window", "Token bucket", "Leaky bucket", "GCRA"];

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running extends ChildProcess {
  /** Resolves when nobody writes to its output any more: neither the demo nor a server that it started. */
  readonly run: Promise<Run>;
  /** Resolves when its output has this text. */
  shows(text: string): Promise<void>;
}

function start(
  { onTestFinished }: TestContext,
  args: readonly string[],
  { env, demo = DEMO }: { env?: NodeJS.ProcessEnv; demo?: string } = {},
): Running {
  const child = spawn(process.execPath, [demo, ...args], { env: { ...process.env, ...env } });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const run = new Promise<Run>((resolve) => {
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  const shows = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      child.stdout.on("data", () => stdout.includes(text) && resolve());
      child.once("close", () => reject(new Error(`It ended without "${text}":\n${stdout}\n${stderr}`)));
    });
  return Object.assign(child, { run, shows });
}

/** A module of the demo, which has no declarations. */
function load(name: string): Promise<unknown> {
  return import(new URL(`../docs/demo/${name}`, import.meta.url).href);
}

function folder({ onTestFinished }: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "throttled-demo-test-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** The numbers of each row of the final table, by the name of its algorithm. */
function rows(stdout: string): Map<string, number[]> {
  const table = stdout.slice(stdout.indexOf("\nalgorithm "));
  return new Map(
    TITLES.map((title) => {
      const line = table.split("\n").find((each) => each.startsWith(title)) ?? "";
      expect(line, `the row of ${title}`).toMatch(/✓ ok$/);
      // Past the names, as there are numbers in quotas too.
      return [title, line.slice(31).match(/\d+/g)?.map(Number) ?? []];
    }),
  );
}

describe.concurrent("the demo", { timeout: 60_000 }, () => {
  test("shows in plain text that five algorithms keep their bounds on an HTTP server", async (context) => {
    const { code, stdout, stderr } = await start(context, ["--seconds", "1"]).run;
    expect(stderr).toBe("");
    expect(code).toBe(0);
    for (const [sent, allowed, limited, atMost] of rows(stdout).values()) {
      expect(sent).toBe(200);
      expect(allowed! + limited!).toBe(sent);
      expect(allowed).toBeLessThanOrEqual(atMost!);
    }
    expect(stdout, "nothing is drawn again, as this is no terminal").not.toContain("\x1b");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    for (const label of ["allowed", "limited"]) expect(stdout).toMatch(new RegExp(`${label} +[▁▂▃▄▅▆▇█]`));
  });

  test("shows that two servers that share a Redis keep the bounds together", async (context) => {
    const { code, stdout, stderr } = await start(context, ["--seconds", "1", "--redis", inject("redisUrl")])
      .run;
    expect(stderr).toBe("");
    expect(code).toBe(0);
    for (const [sent, byA, byB, allowed, limited, atMost] of rows(stdout).values()) {
      expect(sent).toBe(200);
      expect(byA! + byB!).toBe(allowed);
      expect(allowed! + limited!).toBe(sent);
      expect(allowed).toBeLessThanOrEqual(atMost!);
    }
  });

  test("stops its Redis and its servers on Ctrl-C and leaves nothing behind", async (context) => {
    const dir = folder(context);
    const demo = start(context, ["--redis", "--seconds", "1"], { env: { TMPDIR: dir } });
    await demo.shows("Fixed window");
    expect(readdirSync(dir)).toHaveLength(1);
    demo.kill("SIGINT");
    const { code, stderr } = await demo.run;
    expect(stderr).toBe("");
    expect(code).toBe(130);
    expect(readdirSync(dir)).toEqual([]);
  });

  test("ends with 1 and one line when there is no Redis server to start", async (context) => {
    const { code, stderr } = await start(context, ["--redis"], {
      env: { REDIS_SERVER_BIN: "/does/not/exist" },
    }).run;
    expect(stderr).toMatch(/^No Redis server found: install .*\n$/);
    expect(code).toBe(1);
  });

  test("ends with 1 when the Redis of a URL can't be reached, and never shows its password", async (context) => {
    const { code, stdout, stderr } = await start(context, ["--redis", "redis://me:secret@127.0.0.1:1"]).run;
    expect(stderr).toMatch(/^Redis at 127\.0\.0\.1:1: .*ECONNREFUSED.*\n$/);
    expect(stdout + stderr).not.toContain("secret");
    expect(code).toBe(1);
  });

  test("says what to run when the package is not built", async (context) => {
    const dir = folder(context);
    mkdirSync(join(dir, "docs"));
    cpSync(join(ROOT, "docs/demo"), join(dir, "docs/demo"), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
    const { code, stderr } = await start(context, [], { demo: join(dir, "docs/demo/demo.mjs") }).run;
    expect(stderr).toBe("The package is not built yet: run `npm run build` first\n");
    expect(code).toBe(1);
  });

  test("has a help text", async (context) => {
    const { code, stdout } = await start(context, ["--help"]).run;
    expect(stdout).toMatch(/^Usage: npm run demo -- \[options\]\n/);
    expect(code).toBe(0);
  });

  test("ends with 2 and says where to find help for an option that it does not know", async (context) => {
    const { code, stderr } = await start(context, ["--reddis"]).run;
    expect(stderr).toBe("Unknown option --reddis\nTry: npm run demo -- --help\n");
    expect(code).toBe(2);
  });
});

const { parseOptions } = (await load("options.mjs")) as { parseOptions(args: readonly string[]): object };

test.for([
  [[], { help: false, redis: false, seconds: 4 }],
  [["--redis"], { redis: true }],
  [["--redis", "--seconds", "2"], { redis: true, seconds: 2 }],
  [["--seconds=60", "--redis=rediss://host/1"], { redis: "rediss://host/1", seconds: 60 }],
  [["--redis", "redis://host:1", "-h"], { redis: "redis://host:1", help: true }],
] as const)("the options %j mean %j", ([args, options]) => {
  expect(parseOptions(args)).toMatchObject(options);
});

test.for([
  [["gcra"], "Unknown option gcra"],
  [["--help", "me"], "Unknown option me"],
  [["--seconds", "0"], "Expected --seconds to be followed by a whole number from 1 to 60, got 0"],
  [["--seconds=61"], "Expected --seconds to be followed by a whole number from 1 to 60, got 61"],
  [["--seconds"], "Expected --seconds to be followed by a whole number from 1 to 60, got nothing"],
  [["--redis", "pw"], "Expected --redis to be followed by nothing or a URL like redis://localhost:6379"],
  [["--redis="], "Expected --redis to be followed by nothing or a URL like redis://localhost:6379"],
] as const)("the options %j are refused", ([args, message]) => {
  expect(() => parseOptions(args)).toThrow(new RangeError(message));
});

interface Answer {
  readonly limited: boolean;
  readonly from: number;
  readonly to: number;
}

interface Verdict {
  readonly atMost: number;
  readonly problems: string[];
}

const { judge } = (await load("bounds.mjs")) as {
  judge(using: string, quota: object, answers: readonly Answer[]): Verdict;
};

/** What a limiter of `quota` answers to a call every 5 ms for 3 s. */
function answersOf(using: AlgorithmName, quota: string, timeoutMs: number): Answer[] {
  const limiter = new Limiter(using, quota);
  let record: KeyState | undefined;
  return Array.from({ length: 600 }, (_, i) => {
    const from = 1_700_000_000_000 + i * 5;
    const { decision, write } = limiter.decide(record, from, 1, timeoutMs);
    record = write?.record ?? record;
    return { limited: decision.limited, from, to: from + (decision.booking?.waitMs ?? 0) };
  });
}

function verdict(using: string, quota: string, timeoutMs: number, answers: readonly Answer[]): Verdict {
  return judge(using, { ...parseQuota(quota)[0], timeoutMs }, answers);
}

describe.each([
  ["fixed-window", "50/s", 0, { passed: 150, atMost: 150, lax: "51/s", strict: "49/s" }],
  // Its last unit passes in the last millisecond of a window, in which none of these calls comes.
  ["sliding-window", "50/s", 0, { passed: 148, atMost: 150, lax: "51/s", strict: "49/s" }],
  [
    "token-bucket",
    "50/s burst 50",
    0,
    { passed: 199, atMost: 199, lax: "50/s burst 51", strict: "50/s burst 49" },
  ],
  ["leaky-bucket", "50/s", 1000, { passed: 200, atMost: 200, lax: "51/s", strict: "49/s" }],
  ["gcra", "50/s burst 2", 0, { passed: 151, atMost: 151, lax: "50/s burst 3", strict: "50/s burst 1" }],
] as const)("the bound of %s", (using, quota, timeoutMs, { passed, atMost, lax, strict }) => {
  test("holds for the limiter of this package", () => {
    const answers = answersOf(using, quota, timeoutMs);
    expect(answers.filter(({ limited }) => !limited)).toHaveLength(passed);
    expect(verdict(using, quota, timeoutMs, answers)).toEqual({ atMost, problems: [] });
  });

  test("is broken by a limiter that lets one more through", () => {
    const { problems } = verdict(using, quota, timeoutMs, answersOf(using, lax, timeoutMs));
    expect(problems).toContainEqual(expect.stringMatching(/^\d+ passed within \d+ ms, at most \d+ may$/));
  });

  test("is broken by a limiter that lets one less through", () => {
    const { problems } = verdict(using, quota, timeoutMs, answersOf(using, strict, timeoutMs));
    expect(problems).toEqual([expect.stringMatching(/^\d+ were limited although there was room$/)]);
  });

  test("is broken by two servers that share nothing", () => {
    const answers = [0, 1].flatMap(() => answersOf(using, quota, timeoutMs));
    expect(verdict(using, quota, timeoutMs, answers).problems).toHaveLength(1);
  });

  test("is broken by a limiter that refuses everything, and by one that refuses nothing", () => {
    const answers = answersOf(using, quota, timeoutMs);
    const all = (limited: boolean): Answer[] => answers.map(({ from }) => ({ limited, from, to: from }));
    expect(verdict(using, quota, timeoutMs, all(true)).problems).toEqual([
      "600 were limited although there was room",
    ]);
    expect(verdict(using, quota, timeoutMs, all(false)).problems).toContain(
      "nothing was limited, so nothing was shown",
    );
  });
});

test("an answer that may fall on either side of a window's edge counts on neither alone", () => {
  const passed = (from: number, to = from): Answer => ({ limited: false, from, to });
  const window = [passed(0), passed(1), { limited: true, from: 2, to: 2 }];
  expect(verdict("fixed-window", "2/s", 0, [...window, passed(999, 1000)]).problems).toEqual([]);
  expect(verdict("fixed-window", "2/s", 0, [...window, passed(999)]).problems).toEqual([
    "3 passed within 1000 ms, at most 2 may",
  ]);
});
