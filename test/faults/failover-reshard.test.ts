import { beforeAll, expect, test } from "vitest";
import { moveSlots, slotsInUse, startCluster } from "../support/cluster.js";
import { bothVersions, type IoredisVersion } from "../support/ioredis-versions.js";
import { startSentinel } from "../support/sentinel.js";
import type { ServerNode } from "../support/server-node.js";
import { shared } from "../support/shared.js";
import { DEADLINE_MS, type SteadyLoad, storesOver, underLoad } from "../support/steady-load.js";
import { aclUser, LEAST_ACL, LEAST_ACL_OF_CLUSTER, PASSWORD } from "../support/topologies.js";

const LOAD = { keys: 60, limit: 20 };
const SLOTS = 200;

let versions: ReadonlyMap<string, IoredisVersion>;
beforeAll(async () => {
  versions = await bothVersions();
});
const topologies = shared(
  async () => {
    const [Cluster, Sentinel] = await Promise.all([startCluster(), startSentinel()]);
    return { Cluster, Sentinel };
  },
  ({ Cluster, Sentinel }) => Promise.all([Cluster.stop(), Sentinel.stop()]),
  30_000,
);

/** Every call succeeds, and every key is granted exactly its limit. */
async function unharmed(loads: readonly SteadyLoad[]): Promise<void> {
  for (const load of loads) {
    await load.stop();
    expect(load.failedSince(0).map(({ error }) => error?.message)).toEqual([]);
    expect(load.slowestMs).toBeLessThanOrEqual(DEADLINE_MS + 50);
    expect(await load.exhaust()).toEqual([LOAD.limit, LOAD.limit]);
  }
}

/** Makes a server forget every script, over and over, until it is told to stop. */
function flushScripts(nodes: readonly ServerNode[]): () => Promise<number> {
  let flushes = 0;
  let done = false;
  const loops = nodes.map(async (node) => {
    for (; !done; flushes++) {
      await node.call("SCRIPT", "FLUSH");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  return async () => {
    done = true;
    await Promise.all(loops);
    return flushes;
  };
}

/** The cluster as a user of the least rights sees it. */
async function withLeastRights(): Promise<{ url: string; redisOptions: object }> {
  const cluster = topologies().Cluster;
  const user = aclUser("app", [...LEAST_ACL, ...LEAST_ACL_OF_CLUSTER]);
  await Promise.all(cluster.nodes.map((node) => node.call("ACL", "SETUSER", ...user)));
  const url = cluster.url.replace("://", `://app:${encodeURIComponent(PASSWORD)}@`);
  return { url, redisOptions: cluster.redisOptions };
}

test("no call fails while 200 slots of a cluster move under load", async ({ annotate }) => {
  await underLoad(storesOver(versions, await withLeastRights()), LOAD, async (loads) => {
    await Promise.all(loads.map((load) => load.succeeds(0, 5_000)));
    const [from, to] = topologies().Cluster.nodes as [ServerNode, ServerNode];
    const used = await slotsInUse(from);
    const others = Array.from({ length: SLOTS }, (_, slot) => slot);
    const slots = [...new Set([...used, ...others])].slice(0, SLOTS);
    const start = performance.now();
    const moved = await moveSlots(from, to, slots);
    await annotate(`${slots.length} slots, ${moved} keys in ${Math.round(performance.now() - start)} ms`);
    expect(moved).toBeGreaterThan(10);
    const now = performance.now();
    await Promise.all(loads.map((load) => load.succeeds(now, 5_000)));
    await unharmed(loads);
  });
});

test.each(["Cluster", "Sentinel"] as const)(
  "no call fails while the scripts are flushed again and again: %s",
  async (kind) => {
    const topology = topologies()[kind];
    await underLoad(storesOver(versions, topology), LOAD, async (loads) => {
      await Promise.all(loads.map((load) => load.succeeds(0, 5_000)));
      const stop = flushScripts(topology.nodes);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(await stop()).toBeGreaterThan(100);
      await unharmed(loads);
    });
  },
);
