import { renameSync } from "node:fs";
import { until } from "../support/server-node.js";
import { CUT, cutOff, refused, SILENT } from "./messages.js";
import type { Fault } from "./outage-suite.js";

/** Faults of the server as a process. */
export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: "The server is absent at start",
    fromStart: true,
    provoke: (rig) => rig.kill(),
    undo: ({ node }) => node.start(),
    says: /no answer within 250 ms \(connect ECONNREFUSED 127\.0\.0\.1:\d+\)/,
  },
  {
    name: "The server dies",
    provoke: (rig) => rig.kill(),
    undo: ({ node }) => node.start(),
    says: CUT,
  },
  {
    name: "The server hangs",
    executes: true,
    provoke: ({ node }) => node.hang(),
    undo: ({ node }) => node.resume(),
    says: SILENT,
  },
  {
    name: "The server hangs from the start",
    executes: true,
    fromStart: true,
    provoke: ({ node }) => node.hang(),
    undo: ({ node }) => node.resume(),
    says: SILENT,
  },
  {
    name: "The server pauses its clients",
    executes: true,
    provoke: ({ node }) => node.call("CLIENT", "PAUSE", 60_000, "WRITE"),
    undo: ({ node }) => node.call("CLIENT", "UNPAUSE"),
    says: SILENT,
  },
  {
    name: "A script keeps the server busy",
    server: ["--lua-time-limit", "10"],
    provoke: async (rig) => {
      rig.command("EVAL", "while true do end", 0).catch(() => {});
      await until("the server is busy", 2_000, () =>
        rig.command("PING").then(
          () => false,
          (error) => /BUSY/.test(error.message),
        ),
      );
    },
    undo: (rig) => rig.command("SCRIPT", "KILL"),
    says: refused("BUSY"),
  },
  {
    name: "Its unix socket is gone",
    url: ({ dir }) => `unix://${dir}/redis.sock`,
    provoke: async (rig) => {
      renameSync(`${rig.dir}/redis.sock`, `${rig.dir}/gone.sock`);
      await rig.dropClients();
    },
    undo: ({ dir }) => renameSync(`${dir}/gone.sock`, `${dir}/redis.sock`),
    says: cutOff("connect ENOENT"),
  },
];
