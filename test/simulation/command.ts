import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { count } from "../support/command-line.js";
import { simulate } from "./simulation.js";

const PROGRESS_MS = 2_000;

/**
 * Runs one simulation after the other, until one finds something; one seed alone shows what happens, line by line.
 * @returns the exit code. @throws RangeError for wrong arguments.
 */
export async function runSimulate(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { seeds: { type: "string" }, seed: { type: "string" } },
  });
  const first = values.seed === undefined ? randomInt(2 ** 31) : count("seed", values.seed);
  const seeds = count("seeds", values.seeds ?? (values.seed === undefined ? "10k" : "1"));
  const finds = seeds === 1 ? show(first, print) : search(first, seeds, print);
  return (await finds) ? 1 : 0;
}

/** Whether a seed finds something. */
async function show(seed: number, print: (line: string) => void): Promise<boolean> {
  const { trace, problem } = await simulate(seed, true);
  print(trace.join("\n"));
  print(`Seed ${seed}: ${problem ?? "nothing found"}`);
  return problem !== undefined;
}

/** Whether one of many seeds finds something. */
async function search(first: number, seeds: number, print: (line: string) => void): Promise<boolean> {
  const start = performance.now();
  let told = start;
  for (let done = 1; done <= seeds; done++) {
    const seed = first + done - 1;
    if ((await simulate(seed)).problem !== undefined) {
      await show(seed, print);
      print(`Again: npm run simulate -- --seed ${seed}`);
      return true;
    }
    const now = performance.now();
    if (now - told < PROGRESS_MS && done < seeds) continue;
    told = now;
    const rate = Math.round(done / ((now - start) / 1_000));
    print(`${done} of ${seeds} seeds from ${first} on, ${rate} a second, nothing found`);
  }
  return false;
}
