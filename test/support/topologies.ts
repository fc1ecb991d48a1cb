import { type Certificates, makeCertificates } from "./certificates.js";
import { startCluster } from "./cluster.js";
import { startSentinel } from "./sentinel.js";
import { type Protection, ServerNode, serverArgs, startAll } from "./server-node.js";

/** A way of running Redis, and how the store is told about it. */
export interface Deployment {
  readonly url: string;
  readonly redisOptions: object;
  /** Where its nodes listen, sentinels included. */
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

/** Every deployment that the store promises to run on. */
export const DEPLOYMENTS = [
  "standalone",
  "a password",
  "an ACL user limited to its prefix",
  "a unix socket",
  "TLS",
  "Sentinel",
  "Sentinel with TLS and passwords",
  "Cluster",
  "Cluster with TLS and a password",
] as const;

export type DeploymentName = (typeof DEPLOYMENTS)[number];

/** What the keys of every test begin with, as that of the ACL user's must. */
export const PREFIX = "limits";
/** Needs percent-encoding in a URL, every one of its kinds. */
export const PASSWORD = "p@ss:w/o?r#d %41,é";
export const SENTINEL_PASSWORD = "of the sentinels";
/** All that the store asks of a server, and INFO, by which ioredis sees that the server is ready. */
export const LEAST_ACL = ["+evalsha", "+eval", "+time", "+get", "+set", "+del", "+info"];
/** What it takes on top in a cluster; ASKING only while slots move. */
export const LEAST_ACL_OF_CLUSTER = ["+cluster|slots", "+cluster|info", "+asking"];

/** A user who may do so much and no more, only to keys of its prefix. */
export function aclUser(name: string, commands: readonly string[]): string[] {
  return [name, "on", `>${PASSWORD}`, `~${PREFIX}:*`, ...commands];
}

/** Starts all of them at once, or some. */
export async function startDeployments(names: readonly DeploymentName[] = DEPLOYMENTS): Promise<{
  readonly certificates: Certificates;
  readonly deployments: ReadonlyMap<DeploymentName, Deployment>;
  stop(): Promise<void>;
}> {
  const certificates = makeCertificates();
  try {
    const started = await startAll(names.map((name) => startDeployment(name, certificates)));
    const stop = async (): Promise<void> => {
      await Promise.all(started.map((deployment) => deployment.stop()));
      certificates.remove();
    };
    return { certificates, deployments: new Map(names.map((name, i) => [name, started[i]!])), stop };
  } catch (error) {
    certificates.remove();
    throw error;
  }
}

/** Starts one of them. */
export async function startDeployment(name: DeploymentName, certificates: Certificates): Promise<Deployment> {
  const credentials = encodeURIComponent(PASSWORD);
  switch (name) {
    case "standalone":
      return startOne({}, (at) => `redis://${at}`);
    case "a password":
      return startOne({ password: PASSWORD }, (at) => `redis://:${credentials}@${at}`);
    case "an ACL user limited to its prefix":
      return startOne(
        {},
        (at) => `redis://app:${credentials}@${at}`,
        () => ["--user", ...aclUser("app", LEAST_ACL), "--user", "default", "off"],
      );
    case "a unix socket":
      return startOne(
        {},
        (_, dir) => `unix://${dir}/socket?db=1`,
        (dir) => ["--unixsocket", `${dir}/socket`],
      );
    case "TLS":
      return startOne({ certificates }, (at) => `rediss://${at}`);
    case "Sentinel":
      return startSentinel();
    case "Sentinel with TLS and passwords":
      return startSentinel({ certificates, password: PASSWORD, sentinelPassword: SENTINEL_PASSWORD });
    case "Cluster":
      return startCluster();
    case "Cluster with TLS and a password":
      return startCluster({ certificates, password: PASSWORD });
  }
}

async function startOne(
  protection: Protection,
  url: (at: string, dir: string) => string,
  more: (dir: string) => readonly string[] = () => [],
): Promise<Deployment> {
  let folder = "";
  const node = await ServerNode.start((port, dir) => {
    folder = dir;
    return [...serverArgs(port, dir, protection), ...more(dir)];
  }, protection);
  const { certificates } = protection;
  return {
    url: url(`127.0.0.1:${node.port}`, folder),
    redisOptions: certificates === undefined ? {} : { tls: { ca: certificates.ca } },
    ports: [node.port],
    stop: () => node.stop(),
  };
}
