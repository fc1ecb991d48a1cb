import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RateLimitResult } from "../../src/index.js";
import { nextTick } from "../support/next-tick.js";
import { until } from "../support/server-node.js";
import { shared } from "../support/shared.js";
import { inTurns, type Outcome, observeAll, slowest, watchProcess } from "./observe.js";
import { IN_TIME_MS, LIMIT, POLICIES, type Policy, Rig } from "./rig.js";

/** Trouble that no caller notices: everybody is served, within the deadline and as exactly as ever. */
interface Trouble {
  readonly name: string;
  /** Whether calls go around the proxy, which shares the event loop with them. */
  readonly direct?: boolean;
  /** What goes wrong before each round of calls, with everybody connected. */
  readonly strike?: (rig: Rig) => unknown;
  /** What goes wrong with the calls of a round under way. */
  readonly meanwhile?: (rig: Rig) => unknown;
  /** Whether the server forgets what was spent. */
  readonly forgets?: boolean;
  /** How often it strikes, twice by default. */
  readonly rounds?: number;
}

/** A client that has not noticed yet that its connection is gone would take it for a working one. */
async function reconnected({ proxy }: Rig, drop: () => unknown): Promise<void> {
  const { connections, accepted } = proxy;
  await drop();
  await until("everybody has noticed", 2_000, () => {
    const survivors = proxy.connections.filter((each) => connections.includes(each));
    return survivors.length === 0 && proxy.accepted >= accepted + connections.length;
  });
}

function stall(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

const TROUBLES: readonly Trouble[] = [
  {
    name: "Scripts are flushed between calls",
    strike: ({ node }) => node.call("SCRIPT", "FLUSH"),
  },
  {
    name: "Scripts are flushed under way",
    meanwhile: async ({ node }) => {
      for (let i = 0; i < 20; i++) await node.call("SCRIPT", "FLUSH");
    },
  },
  {
    name: "The network is slow, and not evenly",
    strike: ({ proxy }) => {
      proxy.delayMs = () => Math.random() * 20;
    },
  },
  {
    name: "Every byte travels alone",
    strike: ({ proxy }) => {
      proxy.oneByteAtATime = true;
    },
  },
  {
    name: "The connection is reset between calls",
    strike: (rig) => reconnected(rig, () => rig.proxy.reset()),
  },
  {
    name: "The connection is ended between calls",
    strike: (rig) => reconnected(rig, () => rig.proxy.end()),
  },
  {
    name: "The server drops its clients between calls",
    strike: (rig) => reconnected(rig, () => rig.dropClients()),
  },
  {
    name: "The server is restarted between calls",
    strike: (rig) =>
      reconnected(rig, async () => {
        await rig.kill();
        await rig.node.start();
      }),
    forgets: true,
  },
  {
    name: "The server hangs for less than the deadline",
    strike: ({ node }) => {
      node.hang();
      setTimeout(() => node.resume(), 100);
    },
  },
  {
    name: "The server pauses for less than the deadline",
    strike: ({ node }) => node.call("CLIENT", "PAUSE", 100, "ALL"),
  },
  {
    name: "The server evicts the key between calls",
    strike: async ({ node }) => {
      await node.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", "3mb");
      const flood = (i: number): Promise<unknown> => node.call("SET", `flood ${i}`, "x".repeat(20_000));
      await until("the key is gone", 2_000, async () => {
        await Promise.all(Array.from({ length: 100 }, (_, i) => flood(i)));
        return ((await node.call("KEYS", "*:served")) as string[]).length === 0;
      });
    },
    forgets: true,
  },
  { name: "The event loop is held up for 300 ms", direct: true, rounds: 1, meanwhile: () => stall(300) },
  {
    name: "The event loop is held up for 600 ms",
    direct: true,
    rounds: 1,
    meanwhile: () => stall(600),
  },
];

/** Declares the tests of each, four policies each. */
export function servedSuite(): void {
  for (const trouble of TROUBLES) declare(trouble);
}

/** Calls of each policy in a round. */
const CALLS = 8;

type Round = Record<Policy, Outcome<RateLimitResult>[]>;

function declare({ name, direct, strike, meanwhile, forgets, rounds: count = 2 }: Trouble): void {
  describe(name, () => {
    let watch: ReturnType<typeof watchProcess>;
    beforeAll(() => {
      watch = watchProcess();
    });
    const trouble = shared(
      async () => {
        const rounds: Round[] = [];
        const rig = await Rig.start();
        rig.connect(direct ? rig.url : rig.proxy.url);
        await rig.warmUp();
        for (let round = 0; round < count; round++) {
          await strike?.(rig);
          const calls = POLICIES.flatMap((policy) =>
            inTurns(Array.from({ length: CALLS }, () => () => rig.throttle(policy).limit("served"))),
          );
          const observed = observeAll(calls);
          if (meanwhile !== undefined) await sent(() => meanwhile(rig));
          const outcomes = await observed;
          rounds.push(
            Object.fromEntries(POLICIES.map((policy) => [policy, outcomes.splice(0, CALLS)])) as Round,
          );
        }
        return { rig, rounds };
      },
      ({ rig }) => rig.stop(),
    );
    afterAll(() => watch.stop());

    test.each(POLICIES)("%s: every call is served by the store, exactly", (policy) => {
      const outcomes = trouble().rounds.flatMap((round) => round[policy]);
      for (const { result, error } of outcomes) {
        expect(error).toBeUndefined();
        expect(result).toMatchObject({ source: "store", limit: LIMIT });
      }
      const passed = outcomes.filter(({ result }) => result?.limited === false);
      expect(passed).toHaveLength(forgets ? count * LIMIT : LIMIT);
      if (meanwhile === undefined) expect(slowest(outcomes)).toBeLessThanOrEqual(IN_TIME_MS);
    });

    test("nothing was left unhandled, and nothing was warned of", () => {
      expect(watch.problems).toEqual([]);
    });
  });
}

/** Runs something once all is written, and before any answer is read: both in one turn of the event loop. */
async function sent(run: () => unknown): Promise<void> {
  for (let turn = 0; turn < CALLS; turn++) await nextTick();
  await run();
}
