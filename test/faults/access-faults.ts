import { cutOff, refused } from "./messages.js";
import type { Fault } from "./outage-suite.js";
import type { Rig } from "./rig.js";

const config = (rig: Rig, name: string, value: string | number): Promise<unknown> =>
  rig.node.call("CONFIG", "SET", name, value);

const USER = ["--user", "limiter", "on", ">pw", "~*", "+@all"];

/** Faults of who may do what. */
export const ACCESS_FAULTS: readonly Fault[] = [
  {
    name: "The password is wrong",
    fromStart: true,
    url: ({ node }) => `redis://:not-it@127.0.0.1:${node.port}`,
    provoke: (rig) => config(rig, "requirepass", "secret"),
    undo: (rig) => config(rig, "requirepass", "not-it"),
    says: refused("WRONGPASS"),
  },
  {
    name: "A password is needed and none was given",
    fromStart: true,
    provoke: (rig) => config(rig, "requirepass", "secret"),
    undo: (rig) => config(rig, "requirepass", ""),
    says: refused("NOAUTH"),
  },
  {
    name: "The password changes midway",
    prepare: (rig) => config(rig, "requirepass", "old"),
    url: ({ node }) => `redis://:old@127.0.0.1:${node.port}`,
    provoke: async (rig) => {
      await config(rig, "requirepass", "new");
      await rig.dropClients();
    },
    undo: (rig) => config(rig, "requirepass", "old"),
    says: cutOff("WRONGPASS"),
  },
  {
    name: "The user may not call scripts",
    url: ({ node }) => `redis://limiter:pw@127.0.0.1:${node.port}`,
    server: USER,
    provoke: ({ node }) => node.call("ACL", "SETUSER", "limiter", "-evalsha", "-eval"),
    undo: ({ node }) => node.call("ACL", "SETUSER", "limiter", "+@all"),
    says: refused("NOPERM"),
  },
  {
    name: "The user may not touch the keys",
    url: ({ node }) => `redis://limiter:pw@127.0.0.1:${node.port}`,
    server: USER,
    provoke: ({ node }) => node.call("ACL", "SETUSER", "limiter", "resetkeys", "~other:*"),
    undo: ({ node }) => node.call("ACL", "SETUSER", "limiter", "~*"),
    says: refused("NOPERM"),
  },
  {
    name: "The user is deleted",
    url: ({ node }) => `redis://limiter:pw@127.0.0.1:${node.port}`,
    server: USER,
    provoke: ({ node }) => node.call("ACL", "DELUSER", "limiter"),
    undo: ({ node }) => node.call("ACL", "SETUSER", "limiter", "on", ">pw", "~*", "+@all"),
    says: cutOff("WRONGPASS"),
  },
];
