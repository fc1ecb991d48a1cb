import { CUT, SILENT } from "./messages.js";
import type { Fault } from "./outage-suite.js";
import type { Rig } from "./rig.js";

const proxied = ({ proxy }: Rig): string => proxy.url;

/** Something else is in the place of the server. */
const impostor = (name: string, babble: string): Fault => ({
  name,
  url: proxied,
  provoke: ({ proxy }) => {
    proxy.babble = babble;
    proxy.reset();
  },
  undo: ({ proxy }) => {
    proxy.babble = undefined;
    proxy.reset();
  },
  says: CUT,
});

/** What networks do to connections. */
export const NETWORK_FAULTS: readonly Fault[] = [
  {
    name: "Connections are hung up on",
    url: proxied,
    provoke: ({ proxy }) => {
      proxy.hangsUp = true;
      proxy.reset();
    },
    undo: ({ proxy }) => {
      proxy.hangsUp = false;
    },
    says: CUT,
  },
  {
    name: "Connections of now lead nowhere, and new ones do",
    url: proxied,
    provoke: ({ proxy }) => proxy.blackHole(),
    undo: () => {},
    says: SILENT,
  },
  {
    name: "Answers take longer than the deadline",
    url: proxied,
    executes: true,
    provoke: ({ proxy }) => {
      proxy.delayMs = 400;
    },
    undo: ({ proxy }) => {
      proxy.delayMs = 0;
    },
    says: SILENT,
  },
  {
    name: "Every answer gets lost with its connection",
    url: proxied,
    executes: true,
    provoke: ({ proxy }) => {
      proxy.answersToLose = Number.POSITIVE_INFINITY;
    },
    undo: ({ proxy }) => {
      proxy.answersToLose = 0;
    },
    says: CUT,
  },
  impostor("Something else answers", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
  impostor("Something takes connections and says nothing", ""),
];
