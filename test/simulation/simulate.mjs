// Runs simulations, until one finds something that is not as it was promised: npm run simulate -- --seeds 10000 --seed 1
// One seed alone shows what happens, line by line.
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { loadConfigFromFile, runnerImport } from "vite";

const PROGRESS_MS = 2_000;

const { values } = parseArgs({ options: { seeds: { type: "string" }, seed: { type: "string" } } });
const first = values.seed === undefined ? randomInt(2 ** 31) : wholeNumber("seed", values.seed);
const seeds = wholeNumber("seeds", values.seeds ?? (values.seed === undefined ? "10000" : "1"));

const { config } = await loadConfigFromFile({ command: "serve", mode: "test" }, "vitest.config.ts");
const { module } = await runnerImport("test/simulation/simulation.ts", {
  plugins: config.plugins,
  logLevel: "error",
});
process.exitCode = (await (seeds === 1 ? show(first) : search())) ? 1 : 0;

/** Whether a seed finds something. */
async function show(seed) {
  const { trace, problem } = await module.simulate(seed, true);
  console.log(trace.join("\n"));
  console.log(problem === undefined ? `Seed ${seed}: nothing found` : `Seed ${seed}: ${problem}`);
  return problem !== undefined;
}

/** Whether one of many seeds finds something. */
async function search() {
  const startedAt = process.hrtime.bigint();
  let toldAt = startedAt;
  for (let i = 0; i < seeds; i++) {
    const { problem } = await module.simulate(first + i);
    if (problem !== undefined) {
      await show(first + i);
      console.log(`To see it again: npm run simulate -- --seed ${first + i}`);
      return true;
    }
    const now = process.hrtime.bigint();
    if (now - toldAt > PROGRESS_MS * 1e6 || i === seeds - 1) {
      toldAt = now;
      const rate = Math.round((i + 1) / (Number(now - startedAt) / 1e9));
      console.log(`${i + 1} of ${seeds} seeds from ${first} on, ${rate} a second, nothing found`);
    }
  }
  return false;
}

function wholeNumber(name, text) {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RangeError(`Expected \`--${name}\` to be a whole number, got ${text}`);
}
