// Holds keys, or waits for them. Input: { url, prefix, leaseMs, keys, timeout }. Sends "waiting", each token it is given, and each
// key that it loses; "release" gives all back, which it tells, too.
import { Semaphore } from "throttled";
import { RedisStore } from "throttled/redis";

const { url, prefix, leaseMs, keys, timeout = 0 } = JSON.parse(process.argv[2]);
const store = new RedisStore(url, { prefix, deadline: "5s" });
const semaphore = new Semaphore({ capacity: 1, store, lease: leaseMs, timeout });
await semaphore.peek("connected");

const leases = [];
process.on("disconnect", () => process.exit());
process.on("message", async () => {
  await Promise.all(leases.map((lease) => lease.release()));
  process.send("released");
});
process.send("waiting");
for (const key of keys) {
  semaphore.acquire(key).then((lease) => {
    leases.push(lease);
    lease.signal.addEventListener("abort", () => {
      process.send({ lost: key, expiresInMs: lease.expiresInMs, why: lease.signal.reason.message });
    });
    process.send({ key, token: lease.token });
  });
}
