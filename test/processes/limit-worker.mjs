// Makes many calls on one key. Input: { url, prefix, processes, calls }; a message { using, quota } starts a round, "stop" ends it.
import { once } from "node:events";
import { Redis } from "ioredis";
import { Throttled } from "throttled";
import { RedisStore } from "throttled/redis";

const AT_ONCE = 10;
const { url, prefix, processes, calls } = JSON.parse(process.argv[2]);
const redis = new Redis(url);
// What these processes show has nothing to do with the deadline, and they start all at once.
const store = new RedisStore(redis, { prefix, deadline: "10s" });

/** Resolves when every process has come here. */
async function barrier(name) {
  await redis.incr(name);
  while (Number(await redis.get(name)) < processes);
}

process.send("ready");
for (;;) {
  const [message] = await once(process, "message");
  if (message === "stop") break;
  const { using, quota } = message;
  const throttle = new Throttled({ using, quota, store, key: "shared" });
  await throttle.peek();
  await barrier(`${prefix}:barrier:${using}`);
  const lanes = Array.from({ length: AT_ONCE }, async () => {
    let admitted = 0;
    for (let i = 0; i < calls / AT_ONCE; i++) if (!(await throttle.limit()).limited) admitted++;
    return admitted;
  });
  process.send((await Promise.all(lanes)).reduce((one, other) => one + other));
}
await store.close();
redis.disconnect();
