import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { simulate } from "./simulation.js";

/** How long to look, of the time of one processor, on a machine that may be busy with other tests as well. */
const SEARCH_MS = 15_000;

test("everything is as promised, whatever befalls processes and their server", {
  timeout: 120_000,
}, async () => {
  const first = randomInt(2 ** 31);
  const start = process.cpuUsage();
  let seeds = 0;
  for (; cpuMs(start) < SEARCH_MS; seeds++) {
    const { problem } = await simulate(first + seeds);
    if (problem !== undefined) expect.fail(`${problem}: npm run simulate -- --seed ${first + seeds}`);
  }
  console.info(`${seeds} seeds from ${first} on`);
  expect(seeds).toBeGreaterThan(100);
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

function cpuMs(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}
