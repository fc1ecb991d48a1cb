import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { afterAll, describe, expect, inject, test } from "vitest";
import { type Decision, MemoryStore, type Store } from "../../src/index.js";
import { ManualClock } from "../../src/testing.js";
import { verifyOptions } from "./command.js";
import type { Table } from "./game.js";
import { SUBJECTS } from "./games.js";
import { table } from "./sides.js";
import { verify } from "./verification.js";

const clients = [new Redis(inject("redisUrl")), new Redis5(inject("redisUrl"))] as const;
const onRedis = clients.flatMap((client) => Array.from({ length: 8 }, () => table(["redis"], client)));
afterAll(async () => {
  await Promise.all(onRedis.flatMap(({ sides }) => sides.map((side) => side.close?.())));
  for (const client of clients) client.disconnect();
});

const anySeed = (): number => Math.floor(Math.random() * 2 ** 32);

describe.each(SUBJECTS)("random programs: %s", (subject) => {
  test.each([
    ["in memory", [table(["memory"])]],
    ["on Redis, over ioredis 5 and 6", onRedis],
  ])("are answered as the model says %s", { timeout: 120_000 }, async (_, tables) => {
    let ops = 0;
    const verification = { ops: 10_000, seed: anySeed(), subjects: [subject] };
    const failure = await verify(verification, tables, (progress) => {
      ops = progress.ops;
    });
    expect(failure).toBeUndefined();
    expect(ops).toBeGreaterThanOrEqual(10_000);
  });
});

/** A store in memory that changes its answers. */
function tableThat(change: (answer: Decision) => Decision): Table {
  const clock = new ManualClock();
  const open = (maxSize?: number): Store => {
    const store = new MemoryStore({ clock, ...(maxSize !== undefined && { maxSize }) });
    const decide = store.decide.bind(store);
    // Whoever decides about many goes by `decide` as well.
    return Object.assign(store, {
      decideMany: undefined,
      decide: (...call: Parameters<typeof decide>) => change(decide(...call)),
    });
  };
  return { clock, sides: [{ name: "memory", open }], unique: () => "" };
}

/** Lets through what would pass a millisecond later: too early, at one boundary, and all other numbers are right. */
const early = (answer: Decision): Decision =>
  answer.limited && answer.retryAfterMs === 1 ? { ...answer, limited: false, retryAfterMs: 0 } : answer;

describe("a planted fault", () => {
  const find = (seed: number, ops: number) => verify({ ops, seed, subjects: ["gcra"] }, [tableThat(early)]);

  test("is found, and shown by a program of a few steps", async () => {
    const failure = await find(1, 100_000);
    expect(failure?.program.steps.length).toBeLessThanOrEqual(3);
    expect(failure?.difference).toMatch(/model: .*limited true.*\nstore: .*limited false/);
  });

  test("is found again by the seed that is told, and the same program shows it", async () => {
    const failure = await find(1, 100_000);
    expect(await find(failure!.seed, 1)).toEqual(failure);
  });

  test("that is thrown is shown as well", async () => {
    const throwing = tableThat(() => {
      throw new Error("planted");
    });
    const failure = await verify({ ops: 1_000, seed: 1, subjects: ["gcra"] }, [throwing]);
    expect(failure?.difference).toContain("planted");
    expect(failure?.program.steps).toHaveLength(1);
  });
});

describe("a full store that forgets the wrong key", () => {
  test("is found", async () => {
    const table: Table = tableThat((answer) => answer);
    const [memory] = table.sides;
    // One that forgets everything when it should forget one.
    const open = (maxSize?: number): Store => {
      const store = memory!.open(maxSize) as MemoryStore;
      const { decide } = store;
      return Object.assign(store, {
        decide: (...call: Parameters<MemoryStore["decide"]>) => {
          if (store.size === maxSize && call[2] > 0) store.close();
          return decide(...call);
        },
      });
    };
    const failure = await verify({ ops: 100_000, seed: 1, subjects: ["gcra"] }, [
      { ...table, sides: [{ name: "memory", open }] },
    ]);
    expect(failure?.difference).toMatch(/store: .*forgotten|store: key/);
  });
});

describe("the command line", () => {
  test("says how much to verify, of what, and where", () => {
    expect(verifyOptions(["--ops", "10m", "--seed", "7", "--store", "redis", "--only", "gcra"])).toEqual({
      ops: 10_000_000,
      seed: 7,
      store: "redis",
      subjects: ["gcra"],
    });
    expect(verifyOptions([])).toMatchObject({ ops: 1_000_000, store: "both", subjects: SUBJECTS });
    expect(verifyOptions(["--ops", "500K"]).ops).toBe(500_000);
  });

  test.each([
    [["--ops", "many"], "Expected --ops to be a whole number such as 500k or 10m, got many"],
    [["--store", "disk"], "Expected --store to be one of memory, redis, both, got disk"],
    [["--only", "bucket"], "Expected --only to be one of fixed-window, sliding-window"],
    [["--speed", "1"], "Unknown option '--speed'"],
  ])("refuses %j", (args, message) => {
    expect(() => verifyOptions(args)).toThrow(message);
  });

  test("plays, says how far it came, and ends with 0", { timeout: 60_000 }, async () => {
    const args = ["--import", "./test/support/run-typescript.mjs", "test/model/verify.ts"];
    args.push("--ops", "2k", "--store", "memory");
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toMatch(
      /^Seed \d+, memory\n2,\d{3} operations, in \d+ s: [\d,]+ each second\nNo difference\n$/,
    );
  });
});
