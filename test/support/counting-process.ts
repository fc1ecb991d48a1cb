import { setImmediate } from "node:timers/promises";
import { type RateLimitResult, Throttled } from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";

/** What a process of the test is told, on its standard input. */
export interface Task {
  readonly prefix: string;
  readonly calls: number;
  readonly quota: string;
  readonly deployments: readonly { readonly url: string; readonly redisOptions: object }[];
}

/** Makes its calls on each deployment, all at once, and says how many passed on each. */
async function work({ prefix, calls, quota, deployments }: Task): Promise<number[]> {
  const counts = deployments.map(async ({ url, redisOptions }) => {
    await using store = new RedisStore(url, { prefix, redisOptions, deadline: "10s" });
    const throttle = new Throttled({ store, using: "gcra", quota });
    const results: Promise<RateLimitResult>[] = [];
    for (let i = 0; i < calls; i++) {
      results.push(throttle.limit("key"));
      // Some travel together, and many are under way at the same time as those of the other processes.
      if (i % 3 === 0) await setImmediate();
    }
    return (await Promise.all(results)).filter(({ limited }) => !limited).length;
  });
  return Promise.all(counts);
}

let input = "";
for await (const chunk of process.stdin) input += chunk;
console.log(JSON.stringify(await work(JSON.parse(input))));
