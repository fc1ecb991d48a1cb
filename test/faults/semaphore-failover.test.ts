import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Lease, Semaphore } from "../../src/index.js";
import type { RedisStore } from "../../src/redis.js";
import { startCluster } from "../support/cluster.js";
import { RECOVERY_MS } from "../support/failover.js";
import { bothVersions, IOREDIS_VERSIONS, type IoredisVersion } from "../support/ioredis-versions.js";
import { startSentinel } from "../support/sentinel.js";
import { type ServerNode, until } from "../support/server-node.js";
import { PREFIX } from "../support/topologies.js";
import { startWorkers } from "../support/worker.js";

interface Topology {
  readonly url: string;
  readonly nodes: readonly ServerNode[];
  /** The node that keeps a key. */
  keeperOf(key: string): Promise<ServerNode>;
  stop(): Promise<void>;
}

const WORKER = new URL("../semaphore/processes/holder-worker.mjs", import.meta.url);

const START: Readonly<Record<"Sentinel" | "Cluster", () => Promise<Topology>>> = {
  async Sentinel() {
    const topology = await startSentinel();
    return { ...topology, keeperOf: () => topology.master() };
  },
  async Cluster() {
    const topology = await startCluster();
    const keeperOf = async (key: string): Promise<ServerNode> =>
      topology.masterOf(Number(await topology.nodes[0]!.call("CLUSTER", "KEYSLOT", key)));
    return { ...topology, keeperOf };
  },
};

let versions: ReadonlyMap<string, IoredisVersion>;
beforeAll(async () => {
  versions = await bothVersions();
}, 30_000);

describe.each(["Sentinel", "Cluster"] as const)("On %s", (kind) => {
  let topology: Topology;
  let prefix: string;
  const stores: RedisStore[] = [];
  beforeEach(async () => {
    topology = await START[kind]();
  }, 30_000);
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await topology.stop();
  });

  /** A semaphore over a store of its own, as in a process of its own; those of one `prefix` share their keys. */
  function semaphoreOver(version: string, lease: number): Semaphore<RedisStore> {
    const store = new (versions.get(version)!.RedisStore)(topology.url, { prefix });
    stores.push(store);
    return new Semaphore({ capacity: 1, key: "key", store, lease, timeout: "1m" });
  }

  /** Waits until the store answers, and until so many wait. */
  function waiting(semaphore: Semaphore<RedisStore>, count: number): Promise<void> {
    return until(`${count} wait`, 5_000, async () => {
      const { waiting } = await semaphore.peek().catch(() => ({ waiting: -1 }));
      return waiting === count;
    });
  }

  test.each(IOREDIS_VERSIONS)(
    "two stores over %s never hold at once, and hear of each other",
    async (version) => {
      prefix = `${PREFIX}:${randomUUID()}`;
      const [one, other] = [semaphoreOver(version, 30_000), semaphoreOver(version, 30_000)];
      await Promise.all([waiting(one, 0), waiting(other, 0)]);
      let [held, from, to] = [await one.acquire(), one, other];
      const took: number[] = [];
      for (let turn = 0; turn < 11; turn++) {
        await expect(to.acquire(undefined, { timeout: 0 })).rejects.toThrow("Concurrency");
        const waits = to.acquire();
        await waiting(from, 1);
        const released = performance.now();
        await held.release();
        const next: Lease = await waits;
        took.push(performance.now() - released);
        expect(next.token).toBeGreaterThan(held.token);
        [held, from, to] = [next, to, from];
      }
      await held.release();
      expect(await one.peek()).toEqual({ capacity: 1, inUse: 0, waiting: 0 });
      // Those who are not told ask again after half a second and more.
      const usual = took.sort((one, other) => one - other)[Math.floor(took.length / 2)]!;
      expect(usual).toBeLessThan(100);
    },
  );

  test("a process that dies while it waits loses its place within its lease", async () => {
    prefix = `${PREFIX}:${randomUUID()}`;
    const semaphore = semaphoreOver("ioredis 6", 30_000);
    await waiting(semaphore, 0);
    const held = await semaphore.acquire();
    const input = { url: topology.url, prefix, keys: ["key"], leaseMs: 500, timeout: "1m" };
    const [worker] = await startWorkers(WORKER, [input]);
    await waiting(semaphore, 1);
    await worker!.kill();
    const killed = performance.now();
    await waiting(semaphore, 0);
    expect(performance.now() - killed).toBeLessThanOrEqual(500 + 1_000);
    await held.release();
  });

  test("everybody settles when the server is killed while some hold and others wait", async ({
    annotate,
  }) => {
    prefix = `${PREFIX}:${randomUUID()}`;
    // Who is not heard for a lease fails, so it is more than a failover of a busy machine takes.
    const LEASE_MS = 10_000;
    const groups = await Promise.all(
      IOREDIS_VERSIONS.map(async (version) => {
        const [holder, ...others] = Array.from({ length: 4 }, () => semaphoreOver(version, LEASE_MS));
        await Promise.all([holder!, ...others].map((each) => waiting(each, 0)));
        return { version, holder: holder!, others };
      }),
    );
    const key = `${prefix}:semaphore:key`;
    const server = await topology.keeperOf(key);
    const [first] = groups;
    const held = await first!.holder.acquire();
    const tokens: number[] = [];
    const waits = groups.flatMap(({ others }) =>
      others.flatMap((semaphore) =>
        [1, 2].map(() =>
          semaphore.run(undefined, async ({ token }) => {
            tokens.push(token);
          }),
        ),
      ),
    );
    // Whoever asks its own connection has heard by then that it waits.
    await Promise.all(groups.flatMap(({ others }) => others.map((each) => waiting(each, waits.length))));

    server.kill();
    const killed = performance.now();
    // It may come too late for the old server, and be lost for the new one; the lease ends all the same.
    const released = held.release().catch((error: unknown) => error);
    const ends = await Promise.allSettled(waits.map((wait) => wait.then(() => performance.now() - killed)));
    await released;
    const took = ends.map((end) => (end.status === "fulfilled" ? end.value : String(end.reason)));
    expect(took.filter((end) => typeof end === "string")).toEqual([]);
    await annotate(`the last of ${took.length} went after ${Math.round(Math.max(...took.map(Number)))} ms`);
    for (const ms of took) expect(ms).toBeLessThanOrEqual(LEASE_MS + RECOVERY_MS);
    expect(new Set(tokens).size).toBe(waits.length);
    await waiting(first!.holder, 0);
    expect(await first!.holder.peek()).toMatchObject({ inUse: 0 });
    // A client whose messages came by the server that is gone hears of them again.
    const next = await first!.holder.acquire();
    const last = first!.others[0]!.acquire();
    await waiting(first!.holder, 1);
    await next.release();
    await (await last).release();
  });
});
