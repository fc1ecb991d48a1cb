import { beforeAll, beforeEach, describe, test } from "vitest";
import { type ClusterTopology, startCluster } from "../support/cluster.js";
import { outage, succeedAgain, survives } from "../support/failover.js";
import { bothVersions, type IoredisVersion } from "../support/ioredis-versions.js";
import { type ServerNode, until } from "../support/server-node.js";
import { storesOver } from "../support/steady-load.js";

let versions: ReadonlyMap<string, IoredisVersion>;
/** Of each test its own, as they break it; also of one that is run again. */
let topology: ClusterTopology;
/** One of its masters, and the replica of that. */
let master: ServerNode;
let replica: ServerNode;

beforeAll(async () => {
  versions = await bothVersions();
});
beforeEach(async () => {
  topology = await startCluster();
  master = topology.nodes[0]!;
  replica = topology.nodes[3]!;
  return () => topology.stop();
}, 30_000);

function hasRole(node: ServerNode, expected: "master" | "slave"): Promise<void> {
  return until(`a node is a ${expected}`, 15_000, async () => {
    const [role] = (await node.callWithin(500, "ROLE").catch(() => [])) as unknown[];
    return role === expected;
  });
}

describe("when a cluster", () => {
  test("replaces a master that was killed, calls succeed again within 3 s", async (context) => {
    await survives(context, storesOver(versions, topology), (loads) => outage(loads, () => master.kill()));
  });

  test("replaces a master that hangs, calls recover, and nobody falls for the old one when it is back", async (context) => {
    await survives(context, storesOver(versions, topology), async (loads) => {
      const struck = await outage(loads, () => master.hang());
      master.resume();
      await hasRole(master, "slave");
      await succeedAgain(loads);
      return struck;
    });
  });

  test("is told to fail over, calls recover", async (context) => {
    await survives(context, storesOver(versions, topology), async (loads) => {
      const struck = performance.now();
      await replica.call("CLUSTER", "FAILOVER");
      await hasRole(replica, "master");
      await hasRole(master, "slave");
      await succeedAgain(loads);
      return struck;
    });
  });
});
