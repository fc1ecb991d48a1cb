import { Redis, type RedisOptions } from "ioredis";
import { CUT, SILENT } from "./messages.js";
import type { Fault } from "./outage-suite.js";
import type { Rig } from "./rig.js";

/** A client as users make them, which knows nothing of deadlines. */
const client =
  (options: Omit<RedisOptions, "replyMapping"> = {}) =>
  (rig: Rig): Redis => {
    rig.client = new Redis({ port: rig.node.port, retryStrategy: () => 50, ...options });
    return rig.client.on("error", () => {});
  };

/** What may be the matter with a client that the user supplied. */
export const CLIENT_FAULTS: readonly Fault[] = [
  {
    name: "The user disconnects the client",
    url: client(),
    provoke: (rig) => rig.client?.disconnect(),
    undo: (rig) => rig.client?.connect(),
    says: CUT,
  },
  {
    name: "The user lets the client quit",
    url: client(),
    provoke: (rig) => rig.client?.quit(),
    undo: (rig) => rig.client?.connect(),
    says: CUT,
  },
  {
    name: "The user's client never connects, and queues",
    fromStart: true,
    // What is in a queue of the user's client is the user's.
    executes: true,
    url: client({ maxRetriesPerRequest: null }),
    provoke: (rig) => rig.kill(),
    undo: ({ node }) => node.start(),
    says: SILENT,
  },
  {
    name: "The user's client never connects, and does not queue",
    fromStart: true,
    url: client({ enableOfflineQueue: false }),
    provoke: (rig) => rig.kill(),
    undo: ({ node }) => node.start(),
    says: CUT,
  },
  {
    name: "The server of the user's client hangs",
    executes: true,
    url: client(),
    provoke: ({ node }) => node.hang(),
    undo: ({ node }) => node.resume(),
    says: SILENT,
  },
];
