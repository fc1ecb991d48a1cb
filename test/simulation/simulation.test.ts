import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { simulate } from "./simulation.js";

/** Those of every run are the same, so that a run says something of a change; `npm run simulate` and the nightly workflow take others. */
const SEEDS = 1_000;

test("everything is as promised, whatever befalls processes and their server", {
  timeout: 120_000,
}, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { problem } = await simulate(seed);
    if (problem !== undefined) expect.fail(`${problem}: npm run simulate -- --seed ${seed}`);
  }
});

test("a seed does the same every time, in every process", { timeout: 60_000 }, async () => {
  const seed = randomInt(2 ** 31);
  const { trace } = await simulate(seed, true);
  expect(trace.length).toBeGreaterThan(20);
  expect((await simulate(seed, true)).trace).toEqual(trace);
  const command = spawnSync("npm", ["run", "--silent", "simulate", "--", "--seed", String(seed)], {
    encoding: "utf8",
  });
  expect(command.stdout.split("\n").slice(0, trace.length)).toEqual(trace);
});
