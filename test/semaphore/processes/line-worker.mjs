// Waits for one key many times over. Input: { url, prefix, waiters, holdMs }; "go" lines them up, "leave" makes every second one
// leave. Sends what became of them, and ends by itself.
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Semaphore } from "throttled";
import { RedisStore } from "throttled/redis";

const { url, prefix, waiters, holdMs } = JSON.parse(process.argv[2]);
// What these processes show has nothing to do with the deadline, and they start all at once.
const store = new RedisStore(url, { prefix, deadline: "10s" });
const semaphore = new Semaphore({ capacity: 1, store, key: "shared", timeout: "1h" });
const now = () => performance.timeOrigin + performance.now();
await semaphore.peek("connected");

process.on("disconnect", () => process.exit());
process.send("ready");
await once(process, "message");
const leaving = [];
const gone = [];
let left = 0;
process.once("message", () => {
  for (const leave of leaving) leave.abort();
});
const waits = [];
for (let i = 0; i < waiters; i++) {
  waits.push(wait(i));
  // Each travels by itself, between those of other processes.
  await setTimeout(3 * Math.random());
}
await Promise.all(waits);
process.send({ gone, left });
await store.close();
process.removeAllListeners("disconnect").disconnect();

async function wait(index) {
  const leave = new AbortController();
  if (index % 2 === 1) leaving.push(leave);
  try {
    const lease = await semaphore.acquire(undefined, { signal: leave.signal });
    const from = now();
    if (holdMs > 0) await setTimeout(holdMs);
    gone.push({ token: lease.token, from, to: now() });
    await lease.release();
  } catch (error) {
    if (error !== leave.signal.reason) throw error;
    left++;
  }
}
