import { randomUUID } from "node:crypto";
import type { Cluster, Redis, RedisOptions } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isStoreError, type Store, Throttled } from "../../src/index.js";
import type { RedisStore } from "../../src/redis.js";
import { type ClusterTopology, startCluster } from "../support/cluster.js";
import { bothVersions, IOREDIS_VERSIONS, type IoredisVersion } from "../support/ioredis-versions.js";
import { type SentinelTopology, startSentinel } from "../support/sentinel.js";
import type { ServerNode } from "../support/server-node.js";
import { DEADLINE_MS } from "../support/steady-load.js";

let sentinel: SentinelTopology;
let cluster: ClusterTopology;
let versions: ReadonlyMap<string, IoredisVersion>;

beforeAll(async () => {
  [sentinel, cluster, versions] = await Promise.all([startSentinel(), startCluster(), bothVersions()]);
}, 30_000);
afterAll(async () => {
  await Promise.all([sentinel?.stop(), cluster?.stop()]);
});

const at = ({ port }: ServerNode) => ({ host: "127.0.0.1", port });

/** The clients that a user may have, in the words of ioredis. */
const CLIENTS: Record<string, (version: IoredisVersion) => Redis | Cluster> = {
  Redis: ({ Redis }) => new Redis(at(sentinel.nodes[0]!)),
  "Redis of sentinels": ({ Redis }) => new Redis({ sentinels: sentinel.sentinels.map(at), name: "mymaster" }),
  Cluster: ({ Cluster }) => new Cluster(cluster.nodes.slice(0, 1).map(at)),
};

/** Options that change what travels, or when. */
const OPTIONS: Record<string, RedisOptions> = {
  keyPrefix: { keyPrefix: "of-the-application:" },
  autopipelining: { enableAutoPipelining: true },
  lazyConnect: { lazyConnect: true },
  stringNumbers: { stringNumbers: true },
  "replies as RESP3 has them": { replyMapping: "resp3" },
  RESP2: { protocol: 2 },
};

async function spendsExactly(store: Store): Promise<void> {
  const throttle = new Throttled({ store, using: "token-bucket", quota: "5/w" });
  const results = await Promise.all(Array.from({ length: 20 }, () => throttle.limit("key")));
  expect(results.filter(({ limited }) => !limited)).toHaveLength(5);
  const paced = new Throttled({ store, using: "leaky-bucket", quota: "100/s", timeout: "1s" });
  const waits = await Promise.all([paced.limit("key"), paced.limit("key"), paced.limit("key")]);
  expect(waits.every(({ limited }) => !limited)).toBe(true);
}

async function failsInTime(store: RedisStore): Promise<void> {
  const start = performance.now();
  const error = await new Throttled({ store }).limit("key").catch((reason: unknown) => reason);
  expect(isStoreError(error)).toBe(true);
  expect(performance.now() - start).toBeLessThanOrEqual(DEADLINE_MS + 50);
}

describe.each(IOREDIS_VERSIONS)("over a client of the user's, of %s", (name) => {
  test.each(Object.keys(CLIENTS))("a %s works, and outlives the store", async (kind) => {
    const version = versions.get(name)!;
    const client = CLIENTS[kind]!(version);
    await using store = new version.RedisStore(client, { prefix: randomUUID(), deadline: "5s" });
    await spendsExactly(store);
    await store.close();
    expect(client.status).toBe("ready");
    expect(await client.set(randomUUID(), "value", "PX", 1_000)).toBe("OK");
    client.disconnect();
  });

  test.each(Object.keys(OPTIONS))("a Redis with %s works", async (option) => {
    const version = versions.get(name)!;
    const options: object = { ...at(sentinel.nodes[0]!), ...OPTIONS[option] };
    const client = new version.Redis(options);
    await using store = new version.RedisStore(client, { prefix: randomUUID(), deadline: "5s" });
    await spendsExactly(store);
    client.disconnect();
  });

  test.each(Object.keys(CLIENTS))(
    "a %s that its user closed fails in time, and works once it is open again",
    async (kind) => {
      const version = versions.get(name)!;
      const client = CLIENTS[kind]!(version);
      await client.get("to be connected");
      await using store = new version.RedisStore(client, { prefix: randomUUID() });
      const throttle = new Throttled({ store });
      expect(await throttle.limit("key")).toMatchObject({ limited: false });
      client.disconnect();
      await failsInTime(store);
      await expect.poll(() => client.status).toBe("end");
      await failsInTime(store);
      // A Cluster that is opened while the last of its sockets close may close with them.
      await expect
        .poll(() =>
          client
            .connect()
            .then(String, String)
            .then(() => client.status),
        )
        .toBe("ready");
      expect(await throttle.limit("key")).toMatchObject({ limited: false, source: "store" });
      client.disconnect();
    },
  );

  test("a store that is closed fails at once", async () => {
    const { RedisStore } = versions.get(name)!;
    const store = new RedisStore(cluster.url, { prefix: randomUUID(), deadline: "5s" });
    expect(await new Throttled({ store }).limit("key")).toMatchObject({ limited: false });
    await store.close();
    await failsInTime(store);
  });
});
