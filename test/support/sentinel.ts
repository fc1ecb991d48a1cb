import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Protection, ServerNode, serverArgs, startAll, until } from "./server-node.js";

/** A master, two replicas and three sentinels, which find a master that is gone after half a second. */
export interface SentinelTopology {
  /** The data nodes, the first master in front. */
  readonly nodes: readonly ServerNode[];
  readonly sentinels: readonly ServerNode[];
  readonly url: string;
  readonly redisOptions: object;
  readonly ports: readonly number[];
  /**
   * The most by which the last failover may have been late because the sentinels had to vote again: on a busy machine all
   * three may find the master gone at the same moment, and vote for themselves.
   */
  revotesMs(): Promise<number>;
  stop(): Promise<void>;
}

/** What protects the data nodes, and a password of the sentinels apart from that. */
export interface SentinelProtection extends Protection {
  readonly sentinelPassword?: string | undefined;
}

const SERVICE = "mymaster";
/**
 * The sentinels' pace; by default they look every second, and tell each other every two. What they know of a replica must
 * be younger than five pings for it to be promoted, and in an outage they ask once a second: hence no quicker ping.
 */
const QUICK = ["INFO-PERIOD", 200, "PUBLISH-PERIOD", 200, "PING-PERIOD", 300, "ASK-PERIOD", 100];

const FAILOVER_TIMEOUT_MS = 1_000;
/** How far apart sentinels begin to try anew, at random: SENTINEL_MAX_DESYNC of Redis. */
const MOST_DESYNC_MS = 1_000;
/** After a vote without a winner they wait for twice the timeout, each from its own beginning. */
const REVOTE_MS = 2 * FAILOVER_TIMEOUT_MS + MOST_DESYNC_MS;

export async function startSentinel(protection: SentinelProtection = {}): Promise<SentinelTopology> {
  const started: ServerNode[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((node) => node.stop()));
  };
  const start = async (...starting: Promise<ServerNode>[]): Promise<ServerNode[]> => {
    const nodes = await startAll(starting);
    started.push(...nodes);
    return nodes;
  };
  try {
    const [master] = (await start(startData(protection))) as [ServerNode];
    const { port } = master;
    const nodes = [master, ...(await start(startData(protection, port), startData(protection, port)))];
    const watch = (): Promise<ServerNode> => startWatcher(protection, port);
    const sentinels = await start(watch(), watch(), watch());
    await Promise.all(sentinels.map(ready));
    return {
      nodes,
      sentinels,
      ...place(sentinels, protection),
      ports: started.map((node) => node.port),
      revotesMs: async () => (Math.max(...(await Promise.all(sentinels.map(votes)))) - 1) * REVOTE_MS,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function place(
  sentinels: readonly ServerNode[],
  { certificates, password, sentinelPassword }: SentinelProtection,
): { url: string; redisOptions: object } {
  const credentials = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
  return {
    url: `redis${certificates === undefined ? "" : "s"}+sentinel://${credentials}${hosts}/${SERVICE}`,
    redisOptions: {
      ...(certificates === undefined ? {} : { tls: { ca: certificates.ca } }),
      ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    },
  };
}

function startData(protection: SentinelProtection, masterPort?: number): Promise<ServerNode> {
  return ServerNode.start((port, dir) => {
    const args = serverArgs(port, dir, protection);
    if (masterPort !== undefined) args.push("--replicaof", `127.0.0.1 ${masterPort}`);
    return protection.certificates === undefined ? args : [...args, "--tls-replication", "yes"];
  }, protection);
}

function startWatcher(protection: SentinelProtection, masterPort: number): Promise<ServerNode> {
  const { certificates, password, sentinelPassword } = protection;
  return ServerNode.start(
    (port, dir) => {
      const lines = [
        `sentinel monitor ${SERVICE} 127.0.0.1 ${masterPort} 2`,
        `sentinel down-after-milliseconds ${SERVICE} 500`,
        `sentinel failover-timeout ${SERVICE} ${FAILOVER_TIMEOUT_MS}`,
        `sentinel parallel-syncs ${SERVICE} 2`,
      ];
      if (password !== undefined) lines.push(`sentinel auth-pass ${SERVICE} "${password}"`);
      if (sentinelPassword !== undefined) {
        lines.push(`requirepass "${sentinelPassword}"`, `sentinel sentinel-pass "${sentinelPassword}"`);
      }
      const file = join(dir, "sentinel.conf");
      writeFileSync(file, `${lines.join("\n")}\n`);
      const args = [file, "--sentinel", "--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir];
      return certificates ? [...args, ...certificates.serverArgs(port), "--tls-replication", "yes"] : args;
    },
    { certificates, password: sentinelPassword },
    /Sentinel ID is/,
  );
}

async function ready(sentinel: ServerNode): Promise<void> {
  await sentinel.call("SENTINEL", "DEBUG", ...QUICK);
  await until("the sentinels know each other and two replicas", 10_000, async () => {
    const known = await master(sentinel);
    if (known.get("num-other-sentinels") !== "2" || known.get("num-slaves") !== "2") return false;
    const replicas = (await sentinel.call("SENTINEL", "REPLICAS", SERVICE)) as string[][];
    return replicas.every((each) => each[each.indexOf("master-link-status") + 1] === "ok");
  });
}

/** How many votes it took until there was a failover: each has an epoch of its own. */
async function votes(sentinel: ServerNode): Promise<number> {
  return Number((await master(sentinel)).get("config-epoch"));
}

/** What a sentinel knows of the master. */
async function master(sentinel: ServerNode): Promise<ReadonlyMap<string, string>> {
  const flat = (await sentinel.call("SENTINEL", "MASTER", SERVICE)) as string[];
  return new Map(Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]));
}
