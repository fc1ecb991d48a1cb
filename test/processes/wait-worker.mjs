// Waits for one key many times over. Input: { url, prefix, using, quota, waiters }; "go" lines them up, "leave" makes every
// second one leave. Sends who went and when, and ends by itself.
import { once } from "node:events";
import { Throttled } from "throttled";
import { RedisStore } from "throttled/redis";

const { url, prefix, using, quota, waiters } = JSON.parse(process.argv[2]);
// What these processes show has nothing to do with the deadline, and they start all at once; the test counts their calls.
const store = new RedisStore(url, { prefix, deadline: "10s", batch: false });
const throttle = new Throttled({ using, quota, store, key: "shared", timeout: "1h" });
await throttle.peek();

process.send("ready");
await once(process, "message");
const leaving = [];
const gone = [];
let left = 0;
const waits = Array.from({ length: waiters }, async (_, index) => {
  const leave = new AbortController();
  if (index % 2 === 1) leaving.push(leave);
  try {
    const { limited } = await throttle.limit(undefined, { signal: leave.signal });
    gone.push({ index, limited, at: Date.now() });
  } catch (error) {
    if (error !== leave.signal.reason) throw error;
    left++;
  }
});
process.once("message", () => {
  for (const leave of leaving) leave.abort();
});
// The channel to the parent must not be what keeps the process alive.
process.channel.unref();

await Promise.all(waits);
process.send({ gone, left });
await store.close();
