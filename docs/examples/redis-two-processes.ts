// Two processes that share one quota on one Redis: REDIS_URL says where, redis://localhost:6379 by default.
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Throttled } from "throttled";
import { RedisStore } from "throttled/redis";

const CALLS = 150;
const [, , key = `job:${randomUUID()}`] = process.argv;

/** One process: asks 150 times, and tells its parent how often it passed. */
async function work(): Promise<void> {
  const store = new RedisStore(process.env["REDIS_URL"] ?? "redis://localhost:6379");
  const throttle = new Throttled({ key, quota: "100/h", store });
  const results = await Promise.all(Array.from({ length: CALLS }, () => throttle.limit()));
  process.send!(results.filter(({ limited }) => !limited).length);
  await store.close();
  process.disconnect();
}

async function start(): Promise<void> {
  const workers = [1, 2].map(() => fork(fileURLToPath(import.meta.url), [key]));
  const passed = await Promise.all(workers.map(async (worker) => Number((await once(worker, "message"))[0])));
  console.log(`${workers.length} processes, ${workers.length * CALLS} calls`);
  console.log(`${passed.reduce((sum, each) => sum + each)} passed`);
}

await (process.send ? work() : start());

/* Prints:
2 processes, 300 calls
100 passed
*/
