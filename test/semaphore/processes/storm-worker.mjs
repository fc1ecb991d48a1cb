// Acquires, waits, renews, aborts and releases at random until it is told to stop. Input: { url, prefix, keys, lanes, leaseMs },
// keys with their capacity. Sends now and then what it was given; after "stop" the rest, and ends by itself.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { isLimitedError, isStoreError, Semaphore } from "throttled";
import { RedisStore } from "throttled/redis";

const PORTION = 50;
const { url, prefix, keys, lanes, leaseMs } = JSON.parse(process.argv[2]);
// What these processes show has nothing to do with the deadline, and machines that run so many are slow.
const store = new RedisStore(url, { prefix, deadline: "5s" });
const semaphores = keys.map(({ key, capacity }) => new Semaphore({ key, capacity, store, lease: leaseMs }));

const happens = (probability) => Math.random() < probability;
const upTo = (most) => Math.floor(Math.random() * (most + 1));
const ENOUGH = new Error("enough");
const isLoss = (error) => error.message.startsWith("The lease was lost");

let given = [];
let stopped = false;
let failures = 0;

function report() {
  if (process.connected) process.send({ given, failures, last: stopped });
  given = [];
}

async function hold(lease) {
  // The moment first: if this process is stopped in between, it believes less than it may, not more.
  const now = Date.now();
  const { key, token, permits, expiresInMs } = lease;
  if (expiresInMs > 0) given.push({ key, token, permits, believedEnd: now + expiresInMs });
  if (given.length >= PORTION) report();
  if (happens(0.2)) await lease.renew();
  if (happens(0.5)) await sleep(upTo(5));
  // Longer than the lease, so that it is renewed by itself.
  if (happens(0.003)) await sleep(leaseMs * 1.5);
  await lease.release();
  if (happens(0.1)) await lease.release();
}

async function work() {
  const semaphore = semaphores[upTo(semaphores.length - 1)];
  const permits = 1 + upTo(Math.min(3, semaphore.capacity) - 1);
  const leave = new AbortController();
  const timeout = happens(0.3) ? 0 : 20 + upTo(2 * leaseMs);
  const lease = semaphore.acquire(undefined, { permits, timeout, signal: leave.signal });
  if (happens(0.2)) setTimeout(() => leave.abort(ENOUGH), upTo(20));
  try {
    await hold(await lease);
  } catch (error) {
    if (isStoreError(error)) {
      failures++;
      // An open breaker answers at once, so that nothing else would ever get its turn.
      await sleep(10);
    } else if (!isLimitedError(error) && error !== ENOUGH && !isLoss(error)) throw error;
  }
}

process.on("disconnect", () => process.exit());
process.send("ready");
once(process, "message").then(() => {
  stopped = true;
});
await Promise.all(
  Array.from({ length: lanes }, async () => {
    while (!stopped) await work();
  }),
);
report();
await store.close();
process.removeAllListeners("disconnect").disconnect();
