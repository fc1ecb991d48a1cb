import { randomUUID } from "node:crypto";
import type { Cluster, Redis } from "ioredis";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isStoreError, Throttled } from "../../src/index.js";
import { startCluster } from "../support/cluster.js";
import { succeedAgain, survives } from "../support/failover.js";
import { bothVersions, type IoredisVersion } from "../support/ioredis-versions.js";
import { startSentinel } from "../support/sentinel.js";
import { ServerNode, serverArgs } from "../support/server-node.js";
import { storesOver } from "../support/steady-load.js";

/** How long everything is gone, and how long it may take to be of use again: the servers of a cluster need two seconds. */
const [GONE_MS, BACK_MS] = [1_500, 5_000];

interface Place {
  readonly url: string;
  readonly redisOptions: object;
  /** Everything that may go. */
  readonly nodes: readonly ServerNode[];
  /** A client as a user may have it, with the defaults of ioredis: it keeps commands for as long as an outage takes. */
  client(version: IoredisVersion): Redis | Cluster;
  stop(): Promise<void>;
}

const at = ({ port }: ServerNode) => ({ host: "127.0.0.1", port });

const PLACES: Record<string, () => Promise<Place>> = {
  "a server": async () => {
    const node = await ServerNode.start(serverArgs);
    const url = `redis://127.0.0.1:${node.port}`;
    const client = ({ Redis }: IoredisVersion) => new Redis(at(node));
    return { url, redisOptions: {}, nodes: [node], client, stop: () => node.stop() };
  },
  "a Sentinel": async () => {
    const topology = await startSentinel();
    const sentinels = topology.sentinels.map(at);
    const client = ({ Redis }: IoredisVersion) => new Redis({ sentinels, name: "mymaster" });
    return { ...topology, nodes: [...topology.nodes, ...topology.sentinels], client };
  },
  "a cluster": async () => {
    const topology = await startCluster();
    return { ...topology, client: ({ Cluster }) => new Cluster(topology.nodes.map(at)) };
  },
};

describe.each(Object.keys(PLACES))("when the whole of %s", (name) => {
  let versions: ReadonlyMap<string, IoredisVersion>;
  let place: Place;

  beforeAll(async () => {
    versions = await bothVersions();
  });
  // Anew for a test that is run again, too: it would find everything gone.
  beforeEach(async () => {
    place = await PLACES[name]!();
    return () => place.stop();
  }, 30_000);

  const kill = (): void => {
    for (const node of place.nodes) node.kill();
  };
  const revive = () => Promise.all(place.nodes.map((node) => node.start()));

  test("goes and comes back, calls fail in time and then succeed without a restart", async (context) => {
    const stores = storesOver(versions, place);
    for (const version of versions.values()) {
      // Without a listener of the user's, ioredis complains on the console.
      const client = place.client(version).on("error", () => {});
      context.onTestFinished(() => client.disconnect());
      stores.set(`a client of ${version.name}`, new version.RedisStore(client, { prefix: randomUUID() }));
    }
    await survives(
      context,
      stores,
      async (loads) => {
        const struck = performance.now();
        kill();
        await Promise.all(loads.map((load) => load.failsFor(GONE_MS)));
        await revive();
        const back = performance.now();
        await succeedAgain(loads);
        // A cluster takes two seconds to find that it is whole; clients of users knock when their own settings say so.
        const own = name === "a cluster" ? [] : loads.slice(0, versions.size);
        for (const load of own) expect(load.gapSince(back)).toBeLessThanOrEqual(1_000);
        return struck;
      },
      () => GONE_MS + BACK_MS,
    );
  });

  test("was gone, calls that were given up meanwhile are not charged afterwards", async () => {
    kill();
    const options = { redisOptions: place.redisOptions, breaker: { failures: 1_000 } };
    const throttles = [...versions.values()].map(({ RedisStore }) => {
      const store = new RedisStore(place.url, { ...options, prefix: randomUUID() });
      return new Throttled({ store, quota: "100/w" });
    });
    const calls = throttles.flatMap((throttle) => Array.from({ length: 20 }, () => throttle.limit("key")));
    const answers = await Promise.allSettled(calls);
    expect(
      answers.map((answer) => answer.status === "rejected" && isStoreError(answer.reason)),
    ).not.toContain(false);
    await revive();
    for (const throttle of throttles) {
      await expect
        .poll(() => throttle.peek("key").catch(String), { timeout: BACK_MS })
        .toMatchObject({
          remaining: 100,
        });
      await throttle.store.close();
    }
  });
});
