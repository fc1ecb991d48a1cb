import { beforeAll, beforeEach, describe, expect, type TestContext, test } from "vitest";
import { Throttled } from "../../src/index.js";
import { type Fault, outage, RECOVERY_MS, succeedAgain, survives } from "../support/failover.js";
import { bothVersions, type IoredisVersion } from "../support/ioredis-versions.js";
import { type SentinelTopology, startSentinel } from "../support/sentinel.js";
import { type ServerNode, until } from "../support/server-node.js";
import { storesOver } from "../support/steady-load.js";

let versions: ReadonlyMap<string, IoredisVersion>;
/** Of each test its own, as they break it; also of one that is run again. */
let topology: SentinelTopology;
let master: ServerNode;

beforeAll(async () => {
  versions = await bothVersions();
});
beforeEach(async () => {
  topology = await startSentinel();
  master = topology.nodes[0]!;
  return () => topology.stop();
}, 30_000);

/** Waits until a former master knows that it is one no more. */
function demoted(node: ServerNode): Promise<void> {
  return until("the old master is demoted", 15_000, async () => {
    const [role] = (await node.callWithin(500, "ROLE").catch(() => [])) as unknown[];
    return role === "slave";
  });
}

test.each(["a server", "Sentinel"])("a client that gave up for good is opened again: %s", async (kind) => {
  const url = kind === "Sentinel" ? topology.url : `redis://127.0.0.1:${master.port}`;
  // By these ioredis gives up when it loses its connection.
  const redisOptions = { retryStrategy: () => null, sentinelRetryStrategy: () => null };
  for (const store of storesOver(versions, { url, redisOptions }).values()) {
    const throttle = new Throttled({ store });
    expect(await throttle.limit("key")).toMatchObject({ limited: false });
    await master.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    for (let i = 0; i < 3; i++) {
      await expect.poll(() => throttle.limit("key").catch(String)).toMatchObject({ limited: false });
    }
    await store.close();
  }
});

test("while only the sentinels are gone calls succeed, until the connection is lost as well", async (context) => {
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
  /** `survives`, in 3 s, and more only for votes without a winner. */
  const survivesVote = (context: TestContext, fault: Fault, options: object = {}): Promise<void> => {
    const redisOptions = { ...topology.redisOptions, ...options };
    const stores = storesOver(versions, { url: topology.url, redisOptions });
    return survives(context, stores, fault, async () => RECOVERY_MS + (await topology.revotesMs()));
  };
  const killed: Fault = (loads) => outage(loads, () => master.kill());

  test("replaces a master that was killed, calls succeed again within 3 s if one vote is enough", (context) =>
    survivesVote(context, killed));

  test("replaces a master that hangs, calls recover, and nobody falls for the old one when it is back", (context) =>
    survivesVote(context, async (loads) => {
      const struck = await outage(loads, () => master.hang());
      master.resume();
      await demoted(master);
      await succeedAgain(loads);
      return struck;
    }));

  test("is told to fail over, calls recover", (context) =>
    survivesVote(context, async (loads) => {
      const struck = performance.now();
      await topology.sentinels[0]!.call("SENTINEL", "FAILOVER", "mymaster");
      await demoted(master);
      await succeedAgain(loads);
      return struck;
    }));

  test("has clients that listen for its failovers, they survive them", (context) =>
    survivesVote(context, killed, { failoverDetector: true }));
});
