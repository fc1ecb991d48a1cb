import { randomUUID } from "node:crypto";
import { Cluster, Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AlgorithmName, Limiter } from "../../src/index.js";
import { type ClusterTopology, moveSlots, slotsInUse, startCluster } from "../support/cluster.js";
import { startRedis } from "../support/redis-server.js";
import type { ServerNode } from "../support/server-node.js";
import { startWorkers, type Worker } from "../support/worker.js";
import { anomaliesOf, type Call, type KeyHistory } from "./history.js";

const SCRIPT = new URL("history-worker.mjs", import.meta.url);
/** `npm run test:history` makes a million. */
const OPS = Number(process.env["HISTORY_OPS"] ?? 16_000);
const PROCESSES = 16;
const LANES = 4;
const KEYS = 20;

interface LimiterOptions {
  readonly using: AlgorithmName;
  readonly quota: string;
}

/** Every call has a million units and more, so that it is known by them. */
const LASTING: readonly LimiterOptions[] = [
  { using: "token-bucket", quota: "200000000/h" },
  { using: "sliding-window", quota: "90000000/h" },
  { using: "gcra", quota: "30000000/m; 100000000/h burst 50000000" },
];

/** Those whose keys are fresh again, and gone from the server, now and then. */
const SHORT: readonly LimiterOptions[] = [
  { using: "fixed-window", quota: "30000000/s" },
  { using: "leaky-bucket", quota: "20000000/s burst 60000000" },
  { using: "sliding-window", quota: "9000000/250ms; 90000000/m" },
];

type Told = [limiter: number, key: number, units: number, start: string, end: string, result: Call["result"]];

const workers: Worker[] = [];
afterAll(() => Promise.all(workers.map((worker) => worker.kill())));

/** Lets all processes work at once, and answers with the history of every key. */
async function histories(
  client: Redis | Cluster,
  input: { readonly url: string; readonly cluster: boolean; readonly limiters: readonly LimiterOptions[] },
  ops: number,
  meanwhile: (prefix: string) => Promise<void>,
): Promise<KeyHistory[]> {
  const prefix = randomUUID();
  const common = { ...input, prefix, processes: PROCESSES, ops: ops / PROCESSES, lanes: LANES, keys: KEYS };
  const started = await startWorkers(
    SCRIPT,
    Array.from({ length: PROCESSES }, (_, process) => ({ ...common, process })),
  );
  workers.push(...started);
  for (const worker of started) worker.send("go");
  await meanwhile(prefix);
  const told = (await Promise.all(started.map((worker) => worker.receive<Told[]>()))).flat();
  const found = input.limiters.flatMap((limiter, i) =>
    Array.from({ length: KEYS }, async (_, key) => {
      const { id } = new Limiter(limiter.using, limiter.quota);
      const written = await client.lrange(`{${prefix}:${id}:key ${key}}:history`, 0, -1);
      const mine = told.filter(([of, at]) => of === i && at === key);
      const calls = new Map(
        mine.map(([, , units, start, end, result]) => [
          units,
          { units, start: BigInt(start), end: BigInt(end), result },
        ]),
      );
      return { ...limiter, calls, written };
    }),
  );
  return Promise.all(found);
}

function expectLinearizable(all: readonly KeyHistory[], ops: number): void {
  for (const history of all) expect(anomaliesOf(history)).toEqual([]);
  const calls = all.flatMap((history) => [...history.calls.values()]);
  expect(calls.length).toBeGreaterThanOrEqual(ops);
  const decisions = calls.flatMap(({ result }) => (result === null ? [] : [result.limited]));
  // Both kinds of answer are there in numbers.
  expect(decisions.filter((limited) => limited).length).toBeGreaterThan(ops / 50);
  expect(decisions.filter((limited) => !limited).length).toBeGreaterThan(ops / 50);
}

describe(`${PROCESSES} processes at once`, () => {
  test("make one history on a server, which the model tells as well", { timeout: 600_000 }, async () => {
    const server = await startRedis();
    const client = new Redis(server.url);
    const input = { url: server.url, cluster: false, limiters: [...LASTING, ...SHORT] };
    expectLinearizable(await histories(client, input, OPS, async () => {}), OPS);
    client.disconnect();
    await server.stop();
  });

  describe("on a cluster", () => {
    let topology: ClusterTopology;
    beforeAll(async () => {
      topology = await startCluster();
    });
    afterAll(() => topology.stop());

    test("make one history while slots move", { timeout: 600_000 }, async () => {
      const [from, to] = topology.nodes.slice(1, 3) as [ServerNode, ServerNode];
      const host = "127.0.0.1";
      const [port] = topology.ports as [number];
      const client = new Cluster([{ host, port }]);
      const input = { url: `redis://${host}:${port}`, cluster: true, limiters: LASTING };
      let moved = 0;
      const all = await histories(client, input, OPS / 2, async () => {
        for (let slots: number[] = []; slots.length === 0; ) slots = await slotsInUse(from);
        moved = await moveSlots(from, to, await slotsInUse(from));
      });
      expect(moved).toBeGreaterThan(10);
      expectLinearizable(all, OPS / 2);
      client.disconnect();
    });
  });
});

describe("A history is told apart from one that can't be", () => {
  const history: KeyHistory = {
    using: "token-bucket",
    quota: "5000000/h",
    written: ["1000 3000000 token-bucket 5000000 3600000 5000000", "1001 1 2000001 0 token-bucket …"],
    calls: new Map([
      [3_000_000, call(1n, 4n, { remaining: 2_000_000, resetAfterMs: 2_160_000 })],
      [2_000_001, call(2n, 5n, { limited: true, remaining: 2_000_001, resetAfterMs: 2_159_999 })],
    ]),
  };

  function call(start: bigint, end: bigint, told: Partial<Call["result"]>): Call {
    const result = { limited: false, quotaIndex: 0, source: "store", limit: 5_000_000, ...told };
    return { units: 0, start, end, result: { retryAfterMs: 0, ...result } as Call["result"] };
  }

  test("by an answer that no order explains", () => {
    expect(anomaliesOf(history)).toEqual([expect.stringMatching(/^2000001 units: told .*"limited":true/)]);
  });

  test("by calls that were carried out twice, never, or for nobody", () => {
    const [first] = history.written as [string];
    const written = [first, first, first.replace("3000000", "1")];
    expect(anomaliesOf({ ...history, written })).toEqual([
      "3000000 units: carried out twice",
      "1 units: carried out for nobody",
      "2000001 units: never carried out",
    ]);
  });

  test("by an order that real time rules out", () => {
    const calls = new Map(history.calls).set(3_000_000, {
      ...history.calls.get(3_000_000)!,
      start: 6n,
      end: 7n,
    });
    expect(anomaliesOf({ ...history, calls })).toContain(
      "2000001 units: carried out after a call that came later",
    );
  });
});
