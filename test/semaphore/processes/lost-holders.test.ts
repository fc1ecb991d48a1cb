import { randomUUID } from "node:crypto";
import { afterEach, expect, inject, test } from "vitest";
import { type Lease, Semaphore } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { until } from "../../support/server-node.js";
import { startWorkers, type Worker } from "../../support/worker.js";

const SCRIPT = new URL("holder-worker.mjs", import.meta.url);
const LEASE_MS = 600;
/** How late a permit may be back after the lease of who died. */
const LATE_MS = 1_000;

const url = inject("redisUrl");
const open: AsyncDisposable[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each[Symbol.asyncDispose]()));
});

/** A semaphore over a store of its own, as in a process of its own. */
function semaphoreOf(prefix: string, lease = LEASE_MS): Semaphore<RedisStore> {
  const store = new RedisStore(url, { prefix, deadline: "5s" });
  open.push(store);
  return new Semaphore({ capacity: 1, store, lease, timeout: "1m" });
}

/** A process that asks for keys. */
async function start(
  prefix: string,
  keys: readonly string[],
  timeout = "0s",
  leaseMs = LEASE_MS,
): Promise<Worker> {
  const [worker] = await startWorkers(SCRIPT, [{ url, prefix, keys, leaseMs, timeout }]);
  open.push(worker!);
  return worker!;
}

test("the permits of a process that is killed are back after the lease, and at most a second later", async ({
  annotate,
}) => {
  const prefix = randomUUID();
  // So long that those who wait are not asked for along with renewals.
  const leaseMs = 3_000;
  const keys = Array.from({ length: 20 }, (_, i) => `key ${i}`);
  const worker = await start(prefix, keys, "0s", leaseMs);
  const tokens = new Map<string, number>();
  for (const _ of keys) {
    const { key, token } = await worker.receive<{ key: string; token: number }>();
    tokens.set(key, token);
  }
  let killed = Number.POSITIVE_INFINITY;
  const late = await Promise.all(
    keys.map(async (key, i) => {
      // Those who wait ask again at times of their own.
      await new Promise((resolve) => setTimeout(resolve, 30 * i));
      const waits = semaphoreOf(prefix, leaseMs).acquire(key);
      if (i === keys.length - 1) {
        await worker.kill();
        killed = performance.now();
      }
      const lease = await waits;
      const lateMs = performance.now() - killed - leaseMs;
      expect(lease.token).toBeGreaterThan(tokens.get(key)!);
      await lease.release();
      return lateMs;
    }),
  );
  const latest = Math.round(Math.max(...late));
  await annotate(`back ${latest} ms after the lease at the latest`);
  expect(latest).toBeLessThanOrEqual(LATE_MS);
});

test("a process that is killed while it waits loses its place within a lease", async () => {
  const prefix = randomUUID();
  const [holder, behind] = [semaphoreOf(prefix), semaphoreOf(prefix)];
  const held = await holder.acquire("key");
  const worker = await start(prefix, ["key"], "1m");
  await until("it waits", 2_000, async () => (await holder.peek("key")).waiting === 1);
  const waits = behind.acquire("key");
  await until("another waits behind it", 2_000, async () => (await holder.peek("key")).waiting === 2);
  await worker.kill();
  const killed = performance.now();
  await until("its place is gone", LEASE_MS + LATE_MS, async () => (await holder.peek("key")).waiting === 1);
  expect(performance.now() - killed).toBeLessThanOrEqual(LEASE_MS + LATE_MS);
  await held.release();
  await (await waits).release();
});

test("a process that stood still for twice its lease learns that it lost it, and frees nobody when it releases", async () => {
  const prefix = randomUUID();
  const worker = await start(prefix, ["key"]);
  const { token } = await worker.receive<{ token: number }>();
  const semaphore = semaphoreOf(prefix);

  process.kill(worker.pid, "SIGSTOP");
  const stopped = performance.now();
  const next: Lease = await semaphore.acquire("key");
  expect(performance.now() - stopped).toBeLessThanOrEqual(LEASE_MS + LATE_MS);
  expect(next.token).toBeGreaterThan(token);
  await until("twice the lease is over", 2 * LEASE_MS, () => performance.now() - stopped >= 2 * LEASE_MS);
  process.kill(worker.pid, "SIGCONT");

  expect(await worker.receive()).toEqual({
    lost: "key",
    expiresInMs: 0,
    why: expect.stringMatching(/^The lease was lost: /),
  });
  worker.send("release");
  expect(await worker.receive()).toBe("released");
  expect(await semaphore.peek("key")).toEqual({ capacity: 1, inUse: 1, waiting: 0 });
  await next.renew();
  expect(next.signal.aborted).toBe(false);
  await expect(semaphoreOf(prefix).acquire("key", { timeout: 0 })).rejects.toThrow("Concurrency");
  await next.release();
  expect(await semaphore.peek("key")).toEqual({ capacity: 1, inUse: 0, waiting: 0 });
});

test("a process that stood still when its turn came and went gets in line again, and is given a lease that is one", async () => {
  const prefix = randomUUID();
  const semaphore = semaphoreOf(prefix);
  const held = await semaphore.acquire("key");
  const worker = await start(prefix, ["key"], "1m");
  await until("it waits", 2_000, async () => (await semaphore.peek("key")).waiting === 1);
  process.kill(worker.pid, "SIGSTOP");
  await held.release();
  const { inUse } = await semaphore.peek("key");
  expect(inUse, "it was let in").toBe(1);
  const next = await semaphore.acquire("key");
  process.kill(worker.pid, "SIGCONT");
  await until("it waits again", 2_000, async () => (await semaphore.peek("key")).waiting === 1);
  await next.release();
  const given = await worker.receive<{ token: number }>();
  expect(given.token).toBeGreaterThan(next.token);
  worker.send("release");
  expect(await worker.receive(), "and it has lost nothing meanwhile").toBe("released");
});
