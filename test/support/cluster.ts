import { freePort } from "./redis-server.js";
import { type Protection, ServerNode, serverArgs, startAll, until } from "./server-node.js";

/** A cluster of three masters, each with a replica, that fails over half a second after a master is gone. */
export interface ClusterTopology {
  /** The masters first, then the replica of each in the same order. */
  readonly nodes: readonly ServerNode[];
  readonly url: string;
  readonly redisOptions: object;
  readonly ports: readonly number[];
  /** The node that serves a slot in the eyes of most of those that answer. */
  masterOf(slot: number): Promise<ServerNode>;
  stop(): Promise<void>;
}

const SLOTS = 16_384;
const MASTERS = 3;

export async function startCluster(protection: Protection = {}): Promise<ClusterTopology> {
  const members = await startAll(Array.from({ length: 2 * MASTERS }, () => startMember(protection)));
  const nodes = members.map(({ node }) => node);
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    await join(members);
  } catch (error) {
    await stop();
    throw error;
  }
  const { certificates, password } = protection;
  const credentials = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  const hosts = nodes.slice(0, 2).map(({ port }) => `127.0.0.1:${port}`);
  return {
    nodes,
    url: `redis${certificates === undefined ? "" : "s"}+cluster://${credentials}${hosts.join(",")}`,
    redisOptions: certificates === undefined ? {} : { tls: { ca: certificates.ca } },
    ports: nodes.map(({ port }) => port),
    masterOf: (slot) => masterOf(nodes, slot),
    stop,
  };
}

interface Member {
  readonly node: ServerNode;
  readonly busPort: number;
  stop(): Promise<void>;
}

async function startMember(protection: Protection): Promise<Member> {
  let busPort = 0;
  const node = await ServerNode.start(async (port, dir) => {
    busPort = await freePort();
    const args = serverArgs(port, dir, protection);
    args.push("--cluster-enabled", "yes", "--cluster-port", `${busPort}`, "--cluster-node-timeout", "500");
    args.push("--cluster-replica-validity-factor", "0");
    if (protection.certificates === undefined) return args;
    return [...args, "--tls-cluster", "yes", "--tls-replication", "yes"];
  }, protection);
  return { node, busPort, stop: () => node.stop() };
}

async function join(members: readonly Member[]): Promise<void> {
  const nodes = members.map(({ node }) => node);
  const ids = await Promise.all(nodes.map((node) => node.call("CLUSTER", "MYID")));
  const { node: first, busPort } = members[0]!;
  for (const [i, node] of nodes.entries()) {
    await node.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
    if (i < MASTERS) await node.call("CLUSTER", "ADDSLOTSRANGE", ...slotRange(i));
    if (i > 0) await node.call("CLUSTER", "MEET", "127.0.0.1", first.port, busPort);
  }
  await until("every node knows every other", 10_000, async () =>
    (await Promise.all(nodes.map((node) => info(node, "cluster_known_nodes")))).every(
      (known) => known === `${nodes.length}`,
    ),
  );
  for (const [i, node] of nodes.slice(MASTERS).entries()) {
    await node.call("CLUSTER", "REPLICATE", ids[i] as string);
  }
  await until("the cluster is whole and replicates", 10_000, async () =>
    (await Promise.all(nodes.map(isSettled))).every(Boolean),
  );
}

function slotRange(i: number): [number, number] {
  return [Math.ceil((i * SLOTS) / MASTERS), Math.ceil(((i + 1) * SLOTS) / MASTERS) - 1];
}

async function info(node: ServerNode, field: string): Promise<string | undefined> {
  return new RegExp(`^${field}:(\\w+)`, "m").exec(String(await node.call("CLUSTER", "INFO")))?.[1];
}

type Shard = [from: number, to: number, ...nodes: [host: string, port: number][]];

/** Whether it finds the cluster fit for use, knows all replicas and, if it is one itself, has the data. */
async function isSettled(node: ServerNode): Promise<boolean> {
  if ((await info(node, "cluster_state")) !== "ok") return false;
  const shards = (await node.call("CLUSTER", "SLOTS")) as Shard[];
  if (shards.length !== MASTERS || shards.some((shard) => shard.length !== 4)) return false;
  const [role, , , link] = (await node.call("ROLE")) as unknown[];
  return role === "master" || link === "connected";
}

/** Hands slots over while they are in use, as `redis-cli --cluster reshard` does: key by key, slot by slot. */
export async function moveSlots(from: ServerNode, to: ServerNode, slots: Iterable<number>): Promise<number> {
  const [source, target] = await Promise.all(
    [from, to].map(async (node) => String(await node.call("CLUSTER", "MYID"))),
  );
  let moved = 0;
  for (const slot of slots) {
    await to.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source!);
    await from.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target!);
    for (;;) {
      const keys = (await from.call("CLUSTER", "GETKEYSINSLOT", slot, 10)) as string[];
      if (keys.length === 0) break;
      await from.call("MIGRATE", "127.0.0.1", to.port, "", 0, 1_000, "KEYS", ...keys);
      moved += keys.length;
    }
    await to.call("CLUSTER", "SETSLOT", slot, "NODE", target!);
    await from.call("CLUSTER", "SETSLOT", slot, "NODE", target!);
  }
  return moved;
}

/** The slots in which a node has keys now. */
export async function slotsInUse(node: ServerNode): Promise<number[]> {
  const keys = (await node.call("KEYS", "*")) as string[];
  const slots = await Promise.all(
    keys.map(async (key) => Number(await node.call("CLUSTER", "KEYSLOT", key))),
  );
  return [...new Set(slots)];
}

async function masterOf(nodes: readonly ServerNode[], slot: number): Promise<ServerNode> {
  const votes = new Map<number, number>();
  await Promise.all(
    nodes.map(async (node) => {
      const shards = (await node.callWithin(300, "CLUSTER", "SLOTS").catch(() => [])) as Shard[];
      const port = shards.find(([from, to]) => from <= slot && slot <= to)?.[2]?.[1];
      if (port !== undefined) votes.set(port, (votes.get(port) ?? 0) + 1);
    }),
  );
  const [winner] = [...votes].sort(([, one], [, other]) => other - one)[0] ?? [];
  const found = nodes.find(({ port }) => port === winner);
  if (found === undefined) throw new Error(`No node knows who serves slot ${slot}`);
  return found;
}
