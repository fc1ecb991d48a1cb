// Does one thing and then has nothing left to do: whatever still keeps the process alive is the library's fault.
// Input: { scenario, url, dead }.
import { MemoryStore, Semaphore, Throttled } from "throttled";
import { RedisStore } from "throttled/redis";

const { scenario, url, dead } = JSON.parse(process.argv[2]);
const prefix = `exit:${process.pid}`;
const quota = "1/100ms";
const key = "key";

const scenarios = {
  async "a call in memory"() {
    await new Throttled({ quota }).limit(key);
  },
  async "waits in memory"() {
    const throttle = new Throttled({ quota, key, store: new MemoryStore(), timeout: "1m" });
    return Promise.all([throttle.limit(), throttle.limit(), throttle.limit()]);
  },
  async "waits of an hour that were aborted"() {
    const throttle = new Throttled({ quota: "1/h", key, store: new MemoryStore(), timeout: "1d" });
    const leave = new AbortController();
    const waits = [1, 2, 3].map(() => throttle.limit(undefined, { signal: leave.signal }));
    await waits[0];
    leave.abort();
    return (await Promise.allSettled(waits)).map(({ status }) => status);
  },
  async "a Redis store that was closed"() {
    const store = new RedisStore(url, { prefix });
    await new Throttled({ store }).limit(key);
    await store.close();
  },
  async "a Redis store that was disposed of"() {
    const store = new RedisStore(url, { prefix });
    await new Throttled({ store }).limit(key);
    await store[Symbol.asyncDispose]();
  },
  async "a Redis store that was closed before it was connected"() {
    await new RedisStore(url, { prefix }).close();
  },
  async "a Redis store that was closed while calls were under way"() {
    const store = new RedisStore(url, { prefix });
    const throttle = new Throttled({ store, key });
    const calls = [1, 2, 3].map(() => throttle.limit());
    await store.close();
    await Promise.allSettled(calls);
  },
  async "a Redis store whose server is not there"() {
    const store = new RedisStore(dead, { prefix });
    const [{ status }] = await Promise.allSettled([new Throttled({ store }).limit(key)]);
    await store.close();
    return status;
  },
  async "waits on Redis"() {
    const store = new RedisStore(url, { prefix });
    const throttle = new Throttled({ store, quota, key, timeout: "1m" });
    const results = await Promise.all([throttle.limit(), throttle.limit(), throttle.limit()]);
    await store.close();
    return results;
  },
  async "waits on Redis of which the last was aborted"() {
    const store = new RedisStore(url, { prefix });
    const throttle = new Throttled({ store, quota: "1/h", key, timeout: "1d" });
    await throttle.limit();
    const leave = new AbortController();
    const wait = throttle.limit(undefined, { signal: leave.signal });
    await throttle.peek();
    leave.abort();
    const [{ status }] = await Promise.allSettled([wait]);
    await throttle.peek();
    await store.close();
    return status;
  },
  async "permits in memory that are still held"() {
    const semaphore = new Semaphore({ key, capacity: 3, store: new MemoryStore() });
    await semaphore.acquire();
    semaphore.acquireSync();
  },
  async "waits for permits in memory that were aborted"() {
    const semaphore = new Semaphore({ key, capacity: 1, store: new MemoryStore(), timeout: "1d" });
    await semaphore.acquire();
    const leave = new AbortController();
    const waits = [1, 2].map(() => semaphore.acquire(key, { signal: leave.signal }));
    setImmediate(() => leave.abort());
    return (await Promise.allSettled(waits)).map(({ status }) => status);
  },
  async "permits and waits on Redis, all of which are over"() {
    const store = new RedisStore(url, { prefix });
    const semaphore = new Semaphore({ key, capacity: 1, store, timeout: "1m" });
    const tokens = await Promise.all([1, 2, 3].map(() => semaphore.run(({ token }) => token)));
    await store.close();
    return tokens.map((token) => token > 0);
  },
  async "permits on Redis that are still held, and waits, when the store was closed"() {
    const store = new RedisStore(url, { prefix });
    const semaphore = new Semaphore({ key, capacity: 1, store, timeout: "1d" });
    await semaphore.acquire();
    const waits = Promise.allSettled([1, 2].map(() => semaphore.acquire()));
    while ((await semaphore.peek()).waiting < 2);
    await store.close();
    return (await waits).map(({ reason }) => reason?.name);
  },
};

process.send((await scenarios[scenario]()) ?? "done");
process.channel.unref();
