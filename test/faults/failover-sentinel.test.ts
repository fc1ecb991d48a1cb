import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Throttled } from "../../src/index.js";
import { outage, succeedAgain, survives } from "../support/failover.js";
import { bothVersions, type IoredisVersion } from "../support/ioredis-versions.js";
import { type SentinelTopology, startSentinel } from "../support/sentinel.js";
import { type ServerNode, startAll, until } from "../support/server-node.js";
import { storesOver } from "../support/steady-load.js";

let versions: ReadonlyMap<string, IoredisVersion>;
const fresh: SentinelTopology[] = [];
const used: SentinelTopology[] = [];

beforeAll(async () => {
  versions = await bothVersions();
  fresh.push(...(await startAll(Array.from({ length: 4 }, () => startSentinel()))));
}, 30_000);
afterAll(async () => {
  await Promise.all([...fresh, ...used].map((topology) => topology.stop()));
});

function next(): SentinelTopology {
  const topology = fresh.pop()!;
  used.push(topology);
  return topology;
}

/** Waits until a former master knows that it is one no more. */
function demoted(node: ServerNode): Promise<void> {
  return until("the old master is demoted", 15_000, async () => {
    const [role] = (await node.callWithin(500, "ROLE").catch(() => [])) as unknown[];
    return role === "slave";
  });
}

test.each(["a server", "Sentinel"])("a client that gave up for good is opened again: %s", async (kind) => {
  const topology = fresh[0]!;
  const url = kind === "Sentinel" ? topology.url : `redis://127.0.0.1:${topology.nodes[0]!.port}`;
  // By these ioredis gives up when it loses its connection.
  const redisOptions = { retryStrategy: () => null, sentinelRetryStrategy: () => null };
  for (const store of storesOver(versions, { url, redisOptions }).values()) {
    const throttle = new Throttled({ store });
    expect(await throttle.limit("key")).toMatchObject({ limited: false });
    await topology.nodes[0]!.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    for (let i = 0; i < 3; i++) {
      await expect.poll(() => throttle.limit("key").catch(String)).toMatchObject({ limited: false });
    }
    await store.close();
  }
});

test("while only the sentinels are gone calls succeed, until the connection is lost as well", async (context) => {
  const topology = fresh[0]!;
  const master = await topology.master();
  await survives(context, storesOver(versions, topology), async (loads) => {
    for (const node of topology.sentinels) node.kill();
    const gone = performance.now();
    await succeedAgain(loads);
    expect(loads.flatMap((load) => load.failedSince(gone))).toEqual([]);
    const struck = performance.now();
    await master.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await Promise.all(loads.map((load) => load.failsFor(1_000)));
    await Promise.all(topology.sentinels.map((node) => node.start()));
    await succeedAgain(loads);
    return struck;
  });
});

describe("when Sentinel", () => {
  test("replaces a master that was killed, calls succeed again within 3 s", async (context) => {
    const topology = next();
    const master = await topology.master();
    await survives(context, storesOver(versions, topology), (loads) => outage(loads, () => master.kill()));
  });

  test("replaces a master that hangs, calls recover, and nobody falls for the old one when it is back", async (context) => {
    const topology = next();
    const master = await topology.master();
    await survives(context, storesOver(versions, topology), async (loads) => {
      const struck = await outage(loads, () => master.hang());
      master.resume();
      await demoted(master);
      await succeedAgain(loads);
      return struck;
    });
  });

  test("is told to fail over, calls recover", async (context) => {
    const topology = next();
    const master = await topology.master();
    await survives(context, storesOver(versions, topology), async (loads) => {
      const struck = performance.now();
      await topology.sentinels[0]!.call("SENTINEL", "FAILOVER", "mymaster");
      await demoted(master);
      await succeedAgain(loads);
      return struck;
    });
  });

  test("has clients that listen for its failovers, they survive them", async (context) => {
    const topology = next();
    const master = await topology.master();
    const redisOptions = { ...topology.redisOptions, failoverDetector: true };
    await survives(context, storesOver(versions, { ...topology, redisOptions }), (loads) =>
      outage(loads, () => master.kill()),
    );
  });
});
