import { mkdirSync, rmSync } from "node:fs";
import { until } from "../support/server-node.js";
import { cutOff, refused } from "./messages.js";
import type { Fault } from "./outage-suite.js";
import type { Rig } from "./rig.js";

const config = (rig: Rig, name: string, value: string | number): Promise<unknown> =>
  rig.node.call("CONFIG", "SET", name, value);

/** States in which a server refuses to work. */
export const STATE_FAULTS: readonly Fault[] = [
  {
    name: "The server has no memory left",
    provoke: (rig) => config(rig, "maxmemory", 1),
    undo: (rig) => config(rig, "maxmemory", 0),
    says: refused("OOM"),
  },
  {
    name: "The server can't write to its disk",
    server: ["--save", "3600 1"],
    provoke: async (rig) => {
      mkdirSync(`${rig.dir}/dump.rdb`);
      await rig.node.call("BGSAVE");
      await until("saving has failed", 2_000, async () =>
        /rdb_last_bgsave_status:err/.test(String(await rig.node.call("INFO", "persistence"))),
      );
    },
    undo: async (rig) => {
      rmSync(`${rig.dir}/dump.rdb`, { recursive: true });
      await rig.node.call("SAVE");
    },
    says: refused("MISCONF"),
  },
  {
    name: "The server has become a replica",
    provoke: ({ node }) => node.call("REPLICAOF", "127.0.0.1", 1),
    undo: ({ node }) => node.call("REPLICAOF", "NO", "ONE"),
    says: refused("READONLY"),
  },
  {
    name: "The server is a replica without its master",
    server: ["--replica-serve-stale-data", "no"],
    provoke: ({ node }) => node.call("REPLICAOF", "127.0.0.1", 1),
    undo: ({ node }) => node.call("REPLICAOF", "NO", "ONE"),
    says: refused("MASTERDOWN"),
  },
  {
    name: "The server lacks replicas",
    provoke: (rig) => config(rig, "min-replicas-to-write", 1),
    undo: (rig) => config(rig, "min-replicas-to-write", 0),
    says: refused("NOREPLICAS"),
  },
  {
    name: "The server is loading its data",
    server: [
      "--save",
      "3600 1",
      "--key-load-delay",
      "1000",
      "--loading-process-events-interval-bytes",
      "1024",
    ],
    provoke: async (rig) => {
      await rig.node.call("EVAL", "for i = 1, 8000 do redis.call('SET', i, i) end", 0);
      await rig.node.call("SAVE");
      await rig.kill();
      rig.node.start().catch(() => {});
      // Clients ask how long it will take; it starts with "a second", and knows better later.
      await until("the server knows how long loading takes", 3_000, async () =>
        /loading_eta_seconds:([3-9]|\d\d)/.test(String(await rig.node.call("INFO", "persistence"))),
      );
      await rig.dropClients();
    },
    undo: async (rig) => {
      await config(rig, "key-load-delay", 0);
      await until("the server has loaded", 5_000, () =>
        rig.command("PING").then(
          () => true,
          () => false,
        ),
      );
    },
    says: cutOff("LOADING"),
  },
  {
    name: "The server has too many clients",
    provoke: async (rig) => {
      await config(rig, "maxclients", 1);
      await rig.dropClients();
    },
    undo: (rig) => config(rig, "maxclients", 100),
    says: cutOff("ERR max number of clients"),
  },
];
