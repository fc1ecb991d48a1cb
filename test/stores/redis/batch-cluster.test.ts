import { randomUUID } from "node:crypto";
import { Cluster } from "ioredis";
import { Cluster as Cluster5 } from "ioredis-5";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Decision, Limiter, Throttled } from "../../../src/index.js";
import { RedisStore, type RedisStoreOptions } from "../../../src/redis.js";
import { keySlot } from "../../../src/stores/redis/key-slot.js";
import { type ClusterTopology, moveSlots, startCluster } from "../../support/cluster.js";
import { RecordingClient } from "../../support/recording-client.js";
import type { ServerNode } from "../../support/server-node.js";

const limiter = new Limiter("gcra", "5/w");

let cluster: ClusterTopology;
beforeAll(async () => {
  cluster = await startCluster();
}, 30_000);
afterAll(() => cluster?.stop());

/** Makes a client of each major version. */
const CLUSTERS = [
  [
    "ioredis 6",
    (port: number, options: object = {}): Cluster => new Cluster([{ host: "127.0.0.1", port }], options),
  ],
  [
    "ioredis 5",
    (port: number, options: object = {}): Cluster =>
      new Cluster5([{ host: "127.0.0.1", port }], options) as unknown as Cluster,
  ],
] as const;

function spend(store: RedisStore, keys: readonly string[]): Promise<Decision[]> {
  return Promise.all(keys.map((key) => store.decide(limiter, key, 1, 0)));
}

function slotsOf(keys: readonly string[]): Set<number> {
  return new Set(keys.map(keySlot));
}

describe.each(CLUSTERS)("on a Cluster over %s", (_, connect) => {
  const clients: Cluster[] = [];
  afterAll(() => {
    for (const client of clients) client.disconnect();
  });

  function storeOn(
    clusterOptions: object = {},
    options: RedisStoreOptions = {},
  ): { client: RecordingClient; store: RedisStore } {
    const cluster5or6 = connect(cluster.ports[0]!, clusterOptions);
    clients.push(cluster5or6);
    const client = new RecordingClient(cluster5or6);
    return { client, store: new RedisStore(client, { prefix: randomUUID(), deadline: "10s", ...options }) };
  }

  test("keys of many slots in one tick are all answered, those of one slot together", async () => {
    const { client, store } = storeOn();
    const keys = Array.from({ length: 300 }, (_, i) => `key ${i}`);
    const decisions = await spend(store, [...keys, ...keys]);
    expect(decisions.map(({ remaining }) => remaining)).toEqual([...keys.map(() => 4), ...keys.map(() => 3)]);
    const sent = client.sent.filter(({ name }) => name === "evalsha");
    expect(sent.flatMap((command) => command.keys)).toHaveLength(keys.length);
    for (const command of sent) expect(slotsOf(command.keys).size).toBe(1);
    expect(sent).toHaveLength(slotsOf(sent.flatMap((command) => command.keys)).size);
  });

  test("keys that happen to be in one slot share a script call", async () => {
    const { client, store } = storeOn();
    await spend(store, ["key 0"]);
    const [first] = client.sent.at(-1)!.keys;
    const slot = keySlot(first!);
    const neighbours: string[] = [];
    for (let i = 1; neighbours.length < 3; i++) {
      if (keySlot(first!.replace(/0$/, `${i}`)) === slot) neighbours.push(`key ${i}`);
    }
    client.sent.length = 0;
    expect(await spend(store, ["key 0", ...neighbours])).toHaveLength(4);
    // A node that does not know the script yet is sent it once more.
    expect(new Set(client.sent.map((command) => command.keys.length))).toEqual(new Set([4]));
  });

  test.each([
    ["a prefix of the store's", {}, { prefix: "{app}" }],
    ["a `keyPrefix` of the client", { keyPrefix: "{app}:" }, {}],
    ["a `keyPrefix` among the options of its nodes", { redisOptions: { keyPrefix: "{app}:" } }, {}],
  ])("%s with a tag brings all keys into one script call", async (_, clusterOptions, options) => {
    const { client, store } = storeOn(clusterOptions, options);
    const run = randomUUID();
    await spend(store, [`${run} first`]);
    client.sent.length = 0;
    const keys = Array.from({ length: 50 }, (_, i) => `${run} ${i}`);
    expect((await spend(store, keys)).map(({ remaining }) => remaining)).toEqual(keys.map(() => 4));
    expect(client.sent.map((command) => command.keys.length)).toEqual([50]);
  });

  test("braces in a user's key bring no two keys together", async () => {
    const { store } = storeOn();
    const decisions = await spend(store, ["{a}1", "{a}2", "{a}1", "a{b}", "{", "}"]);
    expect(decisions.map(({ remaining }) => remaining)).toEqual([4, 4, 3, 4, 4, 4]);
  });

  test("`limitMany` and resets find their keys, wherever they are", async () => {
    const { store } = storeOn();
    const throttle = new Throttled({ store, using: "gcra", quota: "1/w" });
    const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`);
    expect((await throttle.limitMany(keys)).every(({ limited }) => !limited)).toBe(true);
    await Promise.all(keys.slice(0, 50).map((key) => throttle.reset(key)));
    const again = await throttle.limitMany(keys);
    expect(again.map(({ limited }) => limited)).toEqual(keys.map((_, i) => i >= 50));
  });
});

test("a store of its own client batches by the slots that `keyPrefix` leads to", async () => {
  await using store = new RedisStore(cluster.url, {
    prefix: randomUUID(),
    deadline: "10s",
    redisOptions: { keyPrefix: "{own}:" },
  });
  const keys = Array.from({ length: 50 }, (_, i) => `key ${i}`);
  expect((await spend(store, keys)).map(({ remaining }) => remaining)).toEqual(keys.map(() => 4));
});

/** A slot halfway from one node to another: some of its keys are here, and some there. */
async function halfway(tag: string, moved: readonly string[]): Promise<{ finish(): Promise<unknown> }> {
  const slot = keySlot(tag);
  const from = await cluster.masterOf(slot);
  const to = cluster.nodes.slice(0, 3).find((node) => node !== from)!;
  const [source, target] = await Promise.all([from, to].map((node) => node.call("CLUSTER", "MYID")));
  await to.call("CLUSTER", "SETSLOT", slot, "IMPORTING", String(source));
  await from.call("CLUSTER", "SETSLOT", slot, "MIGRATING", String(target));
  await from.call("MIGRATE", "127.0.0.1", to.port, "", 0, 1_000, "KEYS", ...moved);
  return { finish: () => moveSlots(from as ServerNode, to as ServerNode, [slot]) };
}

test("calls on keys of a slot that is on its way are all answered within the deadline, and counted once", async () => {
  const prefix = `{${randomUUID()}}`;
  await using store = new RedisStore(cluster.url, { prefix });
  const keys = Array.from({ length: 10 }, (_, i) => `key ${i}`);
  // A busy machine may not connect within the deadline.
  await expect
    .poll(
      () =>
        store.decide(limiter, "connected", 0, 0).then(
          () => true,
          () => false,
        ),
      { timeout: 5_000 },
    )
    .toBe(true);
  await spend(store, keys);
  const { finish } = await halfway(
    prefix,
    keys.slice(0, 5).map((key) => `${prefix}:${limiter.id}:${key}`),
  );
  expect((await spend(store, keys)).map(({ remaining }) => remaining)).toEqual(keys.map(() => 3));
  await finish();
  expect((await spend(store, keys)).map(({ remaining }) => remaining)).toEqual(keys.map(() => 2));
});
