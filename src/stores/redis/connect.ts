import { connect as connectTcp, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { type RedisOptions as AnyRedisOptions, Cluster, Redis } from "ioredis";
import type { Server } from "./server-url.js";

/** Options of ioredis, without those that would change what commands mean. */
export type RedisOptions = Omit<AnyRedisOptions, "replyMapping" | "scripts">;

/** How long a connection may take before the next address is tried. */
const CONNECT_TIMEOUT_MS = 700;
/** How long an open socket may take to say goodbye. */
const DISCONNECT_TIMEOUT_MS = 200;
/** How far apart attempts to connect are, at most: a server that is back is found in a fraction of a second. */
const LONGEST_RETRY_MS = 200;
/** How old a picture of the cluster may be; a node that hangs says nothing of its own. */
const SLOTS_REFRESH_MS = 500;

/**
 * A client that never resends a command, as it may have been carried out, and never queues one while it is not connected:
 * such a command would be carried out, and charged, long after its call was answered.
 * @param deadlineMs how long the store waits for an answer; a socket that is silent for longer is replaced.
 */
export function connect(server: Server, deadlineMs: number, redisOptions: RedisOptions): Redis | Cluster {
  const tls = server.tls ? { tls: { ...serverName(server), ...redisOptions.tls } } : {};
  const options = { ...nodeOptions(server, deadlineMs), ...redisOptions, ...tls };
  if (server.kind === "cluster") return cluster(server, options).on("+node", patient);
  return patient(new Redis({ ...place(server, options), ...options }));
}

/** Mends the timer behind `socketTimeout`, with which ioredis takes a server for silent. */
function patient(redis: Redis): Redis {
  // ioredis 5 leaves it running when a connection is lost, and it would end the next one.
  redis.on("close", () => {
    const timed = redis as unknown as { socketTimeoutTimer: NodeJS.Timeout | undefined };
    clearTimeout(timed.socketTimeoutTimer);
    timed.socketTimeoutTimer = undefined;
  });
  // After the event loop was held up it fires before what arrived meanwhile is read: then there is one more turn for that.
  return redis.on("connect", () => {
    const { stream } = redis;
    const destroy = stream.destroy.bind(stream);
    stream.destroy = (error) => {
      if (!error?.message.startsWith("Socket timeout")) return destroy(error);
      const { bytesRead } = stream;
      setImmediate(() => stream.bytesRead === bytesRead && destroy(error));
      return stream;
    };
  });
}

/** Why the first address can't be reached, if it can't: ioredis keeps that of sentinels and of cluster nodes to itself. */
export function whyUnreachable(
  { addresses, tls }: Server,
  options: RedisOptions,
): Promise<string | undefined> {
  const [address] = addresses;
  if (address === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const socket = tls ? connectTls({ ...address, ...options.tls }) : connectTcp(address);
    const end = (why?: string): void => {
      resolve(why);
      socket.destroy();
    };
    socket.once(tls ? "secureConnect" : "connect", () => end());
    socket.on("error", ({ message }) => end(message));
    socket.setTimeout(CONNECT_TIMEOUT_MS, end);
  });
}

function nodeOptions({ username, password, db }: Server, deadlineMs: number): RedisOptions {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(db === undefined ? {} : { db }),
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    socketTimeout: deadlineMs + LONGEST_RETRY_MS,
    retryStrategy,
    maxLoadingRetryTime: LONGEST_RETRY_MS,
    // A server that became a replica, or has none of its data yet, is left for the one that took over.
    reconnectOnError: (error) => /\b(READONLY|MASTERDOWN|LOADING)\b/.test(error.message),
  };
}

function place({ kind, addresses, path, service }: Server, { tls, sentinelTLS }: RedisOptions): RedisOptions {
  if (path !== undefined) return { path };
  if (kind === "standalone") return { ...addresses[0] };
  return {
    sentinels: [...addresses],
    name: service!,
    sentinelRetryStrategy: retryStrategy,
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    // Without all of these ioredis would send the password of the sentinels in the clear.
    ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: sentinelTLS ?? tls }),
  };
}

function cluster({ addresses }: Server, options: RedisOptions): Cluster {
  return new Cluster([...addresses], {
    clusterRetryStrategy: retryStrategy,
    // A command that was lost with its connection is not sent again.
    retryDelayOnFailover: 0,
    // Keys of a slot that is on its way are asked for one by one, once the client has given up asking for them together.
    retryDelayOnTryAgain: 1,
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    // An address would not match a certificate that is for the name.
    dnsLookup: (host, callback) => callback(null, host),
    ...options,
    // Nodes are connected to when they are first needed; calls wait for that, within their deadlines.
    enableOfflineQueue: true,
    redisOptions: options,
  });
}

/** A little apart from each other, so that many processes do not knock on a server at once. */
function retryStrategy(attempt: number): number {
  return Math.min(LONGEST_RETRY_MS, 25 * attempt) * (0.5 + Math.random() / 2);
}

/** Without it there is no SNI, and hosts that share an address would show the wrong certificate. */
function serverName({ kind, addresses }: Server): { servername?: string } {
  const host = kind === "standalone" ? addresses[0]?.host : undefined;
  return host === undefined || isIP(host) !== 0 ? {} : { servername: host };
}
