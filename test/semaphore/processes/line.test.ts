import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Lease, Semaphore } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { startRedis } from "../../support/redis-server.js";
import { SemaphoreLog } from "../../support/semaphore-log.js";
import { until } from "../../support/server-node.js";
import { startWorkers, type Worker } from "../../support/worker.js";

interface Report {
  /** In the order in which they went: their tokens, and when they had them by the clock of this machine. */
  readonly gone: readonly { token: number; from: number; to: number }[];
  readonly left: number;
}

// A busy machine takes its time for thousands of calls of four processes.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

const SCRIPT = new URL("line-worker.mjs", import.meta.url);
const PROCESSES = 4;
const WAITERS = 1_000;
/** What a waiter may cost: to come, to leave, and to ask again in between. */
const MOST_CALLS = 3;

const server = await startRedis();
const redis = new Redis(server.url);
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

let prefix: string;
let workers: Worker[] = [];
let log: SemaphoreLog;
let store: RedisStore;
/** Of whoever is before all of them. */
let first: Lease;
beforeEach(async () => {
  prefix = randomUUID();
  log = await SemaphoreLog.start(server.port);
  store = new RedisStore(server.url, { prefix, deadline: "10s" });
  first = await new Semaphore({ capacity: 1, store, key: "shared" }).acquire();
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await store.close();
  log[Symbol.dispose]();
});

/** Lines up processes, and counts calls from here on. */
async function line(holdMs: number): Promise<void> {
  const input = { url: server.url, prefix, waiters: WAITERS / PROCESSES, holdMs };
  workers = await startWorkers(SCRIPT, Array(PROCESSES).fill(input));
  await redis.config("RESETSTAT");
  for (const worker of workers) worker.send("go");
  await until("all stand in line", 20_000, () => log.places(`${prefix}:semaphore:shared`).length > WAITERS);
}

/** Script calls since then. */
async function calls(): Promise<number> {
  const stats = (await redis.info("commandstats")).matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm);
  return [...stats].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** What the workers say, once each has ended by itself. */
async function reports(): Promise<Report[]> {
  const all = await Promise.all(workers.map((worker) => worker.receive<Report>()));
  for (const worker of workers) expect(await worker.ended).toEqual({ code: 0, signal: null, complaints: "" });
  await log.catchUp(redis);
  expect(log.violations, "first come, first served, by the server").toEqual([]);
  const tokens = all.flatMap(({ gone }) => gone.map(({ token }) => token));
  expect(new Set(tokens).size).toBe(tokens.length);
  for (const { gone } of all) {
    expect(gone, "and by the process").toEqual([...gone].sort((one, other) => one.token - other.token));
  }
  return all;
}

/** How long a permit took from who released it to who had it next, in another process: half of them, 99 % and all. */
function handOffs(all: readonly Report[]): string {
  const turns = all
    .flatMap(({ gone }, process) => gone.map((turn) => ({ ...turn, process })))
    .sort((one, other) => one.token - other.token);
  const took = turns
    .flatMap(({ from, process }, i) => {
      const before = turns[i - 1];
      return before === undefined || before.process === process ? [] : [from - before.to];
    })
    .sort((one, other) => one - other);
  const [half, most, longest] = [0.5, 0.99, 1].map((part) =>
    took[Math.ceil(part * took.length) - 1]!.toFixed(1),
  );
  return `handed over ${took.length} times to another process: ${half} ms, 99 % within ${most} ms, ${longest} ms at most`;
}

for (const standMs of [0, 10_000]) {
  test(`${WAITERS} waiters of ${PROCESSES} processes go in turn with at most ${MOST_CALLS} store calls each, after ${standMs} ms`, async ({
    annotate,
  }) => {
    await line(0);
    const lined = performance.now();
    await until("they have waited", standMs + 1_000, () => performance.now() - lined >= standMs);
    await first.release();
    const all = await reports();
    const each = (await calls()) / WAITERS;
    await annotate(`${each} script calls and ${log.requests / WAITERS} requests each; ${handOffs(all)}`);
    expect(all.flatMap(({ gone }) => gone)).toHaveLength(WAITERS);
    expect(each).toBeLessThanOrEqual(MOST_CALLS);
  });
}

test("when half of them leave while the line moves, the others are not delayed", async ({ annotate }) => {
  await line(1);
  await first.release();
  await until("the line moves", 5_000, () => log.grants.size > WAITERS / 10);
  for (const worker of workers) worker.send("leave");
  const all = await reports();
  const left = all.reduce((sum, report) => sum + report.left, 0);
  const each = (await calls()) / WAITERS;
  // Whoever was before them all came long before.
  const moments = [...log.grants.values()].slice(1).map(({ at }) => at);
  const gap = Math.max(...moments.slice(1).map((at, i) => at - moments[i]!));
  await annotate(
    `${each} script calls each; ${left} left; ${handOffs(all)}; longest gap ${Math.round(gap)} ms`,
  );
  expect(left).toBeGreaterThan(0.4 * WAITERS);
  expect(all.flatMap(({ gone }) => gone)).toHaveLength(WAITERS - left);
  expect(each).toBeLessThanOrEqual(MOST_CALLS);
  expect(log.expired, "nobody waited for a lease to end").toBe(0);
  expect(gap, "nor for somebody to ask again").toBeLessThan(500);
});
