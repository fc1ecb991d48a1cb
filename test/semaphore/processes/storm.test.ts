import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { Semaphore } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { startRedis } from "../../support/redis-server.js";
import { SemaphoreLog } from "../../support/semaphore-log.js";
import { until } from "../../support/server-node.js";
import { startWorkers, type Worker } from "../../support/worker.js";

interface Report {
  /** What the process was given, and until when it believed to have it, by the clock of this machine. */
  readonly given: readonly { key: string; token: number; permits: number; believedEnd: number }[];
  /** Calls that the store failed. */
  readonly failures: number;
  readonly last: boolean;
}

const SCRIPT = new URL("storm-worker.mjs", import.meta.url);
/** `npm run test:storm` makes ten times as many. */
const REQUESTS = Number(process.env["SEMAPHORE_REQUESTS"] ?? 10_000);
const PROCESSES = 16;
const LANES = 6;
const LEASE_MS = 400;
const KEYS = [1, 1, 2, 2, 3, 3, 4, 5, 6, 8].map((capacity, i) => ({ key: `key-${i}`, capacity }));
/** What a process believes is counted by its own clock since the answer; the server rounds to milliseconds. */
const ROUNDING_MS = 2;

const server = await startRedis();
const redis = new Redis(server.url);
const workers: Worker[] = [];
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  redis.disconnect();
  await server.stop();
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const STRIKES = {
  async killed(victim: Worker, input: unknown): Promise<Worker> {
    await victim.kill();
    const [successor] = (await startWorkers(SCRIPT, [input])) as [Worker];
    return successor;
  },
  async stopped(victim: Worker): Promise<Worker> {
    process.kill(victim.pid, "SIGSTOP");
    await sleep(Math.random() * 2.5 * LEASE_MS);
    process.kill(victim.pid, "SIGCONT");
    return victim;
  },
};

/** Kills and stops processes at random until `over`; says how many. */
async function strike(
  log: SemaphoreLog,
  input: unknown,
  over: () => boolean,
): Promise<Record<keyof typeof STRIKES, number>> {
  const count = { killed: 0, stopped: 0 };
  const down = new Set<Promise<unknown>>();
  while (!over()) {
    const next = log.requests + Math.random() * 200;
    while (log.requests < next && !over()) await sleep(10);
    // Half of them are always at work.
    if (down.size >= PROCESSES / 2) await Promise.race(down);
    const [victim] = workers.splice(Math.floor(Math.random() * workers.length), 1) as [Worker];
    const kind = Math.random() < 0.15 ? "killed" : "stopped";
    count[kind]++;
    const back = STRIKES[kind](victim, input).then((worker) => {
      workers.push(worker);
      down.delete(back);
    });
    down.add(back);
  }
  await Promise.all(down);
  return count;
}

/** All that a process has to say until it ends. */
async function reports(worker: Worker): Promise<Report[]> {
  worker.send("stop");
  const all: Report[] = [];
  do all.push(await worker.receive<Report>());
  while (!all.at(-1)!.last);
  expect(await worker.ended).toEqual({ code: 0, signal: null, complaints: "" });
  return all;
}

test(
  `${PROCESSES} processes that are killed and stopped at random never hold more than there is, and go in turn`,
  async ({ annotate }) => {
    using log = await SemaphoreLog.start(server.port);
    const prefix = randomUUID();
    const input = { url: server.url, prefix, keys: KEYS, lanes: LANES, leaseMs: LEASE_MS };
    const start = performance.now();
    workers.push(...(await startWorkers(SCRIPT, Array(PROCESSES).fill(input))));
    const strikes = await strike(log, input, () => log.requests >= REQUESTS || log.violations.length > 0);
    const said = (await Promise.all(workers.map(reports))).flat();
    const seconds = (performance.now() - start) / 1_000;

    await using store = new RedisStore(server.url, { prefix });
    for (const { key, capacity } of KEYS) {
      const semaphore = new Semaphore({ key, capacity, store });
      await until(`${key} is free again`, LEASE_MS + 1_000, async () => (await semaphore.peek()).inUse === 0);
      expect(await semaphore.peek(), "nobody was left in line").toEqual({ capacity, inUse: 0, waiting: 0 });
    }
    await log.catchUp(redis);
    await annotate(
      [
        `${log.requests} requests in ${log.runs} script calls, ${Math.round(seconds)} s`,
        `${log.grants.size} leases, ${log.messages} heard by a message, ${log.expired} places ran out`,
        `${strikes.killed} processes killed, ${strikes.stopped} stopped`,
      ].join("; "),
    );
    expect(log.violations).toEqual([]);
    for (const { key, capacity } of KEYS) {
      expect(log.most.get(`${prefix}:semaphore:${key}`), "all permits were in use").toBe(capacity);
    }
    for (const { key, token, permits, believedEnd } of said.flatMap(({ given }) => given)) {
      const grant = log.grants.get(`${prefix}:semaphore:${key} ${token}`);
      expect(grant, `${key} ${token}`).toMatchObject({ permits });
      expect(believedEnd, `${key} ${token}`).toBeLessThanOrEqual(grant!.endsAt + ROUNDING_MS);
    }
  },
  60_000 + REQUESTS * 5,
);
