// Two processes, and never more than three jobs at once: REDIS_URL says where, redis://localhost:6379 by default.
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Semaphore } from "throttled";
import { RedisStore } from "throttled/redis";

const CAPACITY = 3;
const JOBS = 10;
const [, , key = `export:${randomUUID()}`] = process.argv;

/** When a job had its permit. */
interface Job {
  readonly from: number;
  readonly to: number;
  readonly token: number;
}

/** One process: begins ten jobs at once, and tells its parent when each of them ran. */
async function work(): Promise<void> {
  const store = new RedisStore(process.env["REDIS_URL"] ?? "redis://localhost:6379", { deadline: "2s" });
  const semaphore = new Semaphore({ key, capacity: CAPACITY, store, timeout: "20s" });
  const job = async (): Promise<Job> => {
    await using lease = await semaphore.acquire();
    const from = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 10));
    return { from, to: Date.now(), token: lease.token };
  };
  process.send!(await Promise.all(Array.from({ length: JOBS }, job)));
  await store.close();
  process.disconnect();
}

async function start(): Promise<void> {
  const workers = [1, 2].map(() => fork(fileURLToPath(import.meta.url), [key]));
  const jobs = (
    await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0] as Job[]))
  ).flat();
  const atOnce = jobs.map(({ from }) => jobs.filter((job) => job.from <= from && from < job.to).length);
  const tokens = new Set(jobs.map(({ token }) => token));
  console.log(`${workers.length} processes, ${jobs.length} jobs, ${tokens.size} tokens`);
  console.log(`never more than ${CAPACITY} at once: ${Math.max(...atOnce) <= CAPACITY}`);
}

await (process.send ? work() : start());

/* Prints:
2 processes, 20 jobs, 20 tokens
never more than 3 at once: true
*/
