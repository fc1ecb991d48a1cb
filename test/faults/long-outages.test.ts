import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { sleep, watchProcess } from "./observe.js";
import { isServed, POLICIES, Rig } from "./rig.js";

const RECOVERY_MS = 1_000;

interface Outage {
  readonly name: string;
  readonly ms: number;
  readonly server?: readonly string[];
  readonly begin: (rig: Rig) => unknown;
  readonly end: (rig: Rig) => unknown;
}

const fillers = new WeakMap<Rig, Socket[]>();

/** A server that accepts nobody any more: once its queue is full, the system drops whoever knocks, as a dead host does. */
async function dropEverybody(rig: Rig): Promise<void> {
  rig.node.hang();
  const sockets = Array.from({ length: 8 }, () => connect(rig.node.port, "127.0.0.1").on("error", () => {}));
  fillers.set(rig, sockets);
  await sleep(100);
  expect(sockets.some(({ connecting }) => connecting)).toBe(true);
}

const OUTAGES: readonly Outage[] = [
  { name: "the server was dead", ms: 2_500, begin: (rig) => rig.kill(), end: ({ node }) => node.start() },
  { name: "the server hung", ms: 2_500, begin: ({ node }) => node.hang(), end: ({ node }) => node.resume() },
  // An attempt to connect that began just before the end is the one that takes longest to be given up.
  ...[1_650, 1_700, 2_700].map((ms) => ({
    name: `its host did not answer for ${ms} ms`,
    ms,
    server: ["--tcp-backlog", "1"],
    begin: dropEverybody,
    end: (rig: Rig) => {
      for (const socket of fillers.get(rig) ?? []) socket.destroy();
      rig.node.resume();
    },
  })),
];

describe("After an outage of seconds, with calls all along,", () => {
  test.concurrent.each(OUTAGES)(
    "everybody is served within a second: $name",
    async ({ ms, server = [], begin, end }) => {
      const watch = watchProcess();
      const rig = await Rig.start(...server);
      rig.connect(rig.url);
      await rig.warmUp();
      await begin(rig);
      const calls = setInterval(() => {
        for (const policy of POLICIES)
          rig
            .throttle(policy)
            .limit("key")
            .catch(() => {});
      }, 5);
      await sleep(ms);
      await end(rig);
      const over = performance.now();
      const recoveries = await Promise.all(
        POLICIES.map(async (policy) => {
          while (!(await isServed(rig.throttle(policy)))) await sleep(10);
          return performance.now() - over;
        }),
      );
      clearInterval(calls);
      expect(Math.max(...recoveries)).toBeLessThanOrEqual(RECOVERY_MS);
      watch.stop();
      expect(watch.problems).toEqual([]);
      await rig.stop();
    },
  );
});
