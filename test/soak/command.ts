import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { count } from "../support/command-line.js";
import { startLoad } from "./load.js";
import type { Part } from "./part.js";
import { type Sample, takeSample } from "./sample.js";
import { soak } from "./soaking.js";
import { type Limits, leftBehind, longestOf, megabytes } from "./verdict.js";

const LIMITS: Limits = { pauseMs: 5, heapShare: 0.05, heapBytes: 8 * 2 ** 20 };

/** Outages in a run of an hour are five minutes apart, in the short ones more often. */
const OUTAGES = 36;

const MOST_MS_TO_GO = 5_000;

/** What `npm run soak` does: a line each minute, and a verdict. @returns the exit code. @throws RangeError for wrong arguments. */
export async function runSoak(
  args: readonly string[],
  print: (line: string) => void,
  limits: Limits = LIMITS,
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "60" },
      seed: { type: "string", default: String(randomInt(2 ** 31)) },
      keys: { type: "string", default: "1m" },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0))
    throw new RangeError(`Expected --minutes to be a number above 0, got ${values.minutes}`);
  const [seed, keys] = [count("seed", values.seed), count("keys", values.keys)];
  print(`Seed ${seed}, ${keys.toLocaleString("en")} keys, ${minutes} minutes`);
  const faults = await soakAll({ minutes, seed, keys, limits }, print);
  for (const fault of faults) print(fault);
  print(
    faults.length === 0 ? "Nothing was wrong" : `${faults.length} things were wrong; again: --seed ${seed}`,
  );
  return faults.length === 0 ? 0 : 1;
}

async function soakAll(
  { minutes, limits, ...options }: { minutes: number; seed: number; keys: number; limits: Limits },
  print: (line: string) => void,
): Promise<string[]> {
  const before = takeSample(0, [], []);
  const load = await startLoad({ ...options, outageEveryMs: Math.max(500, (minutes * 60_000) / OUTAGES) });
  const table = new Table(load.parts, minutes, print);
  let faults: string[];
  try {
    faults = await soak(load.parts, { minutes, limits, onSample: (sample) => table.add(sample) });
    table.end();
  } finally {
    await load[Symbol.asyncDispose]();
  }
  return [...faults, ...(await rest(before, minutes, limits))];
}

/** What is left behind; handles take some turns of the event loop to go. */
async function rest(before: Sample, minutes: number, limits: Limits): Promise<string[]> {
  const end = performance.now() + MOST_MS_TO_GO;
  while (true) {
    const left = leftBehind(before, takeSample(minutes, [], []), limits);
    if (left.length === 0 || performance.now() > end) return left;
    await sleep(100);
  }
}

/** A line each minute, or each tenth of a run that is shorter than ten. */
class Table {
  readonly #parts: readonly Part[];
  readonly #print: (line: string) => void;
  readonly #everyMinutes: number;
  #since: Sample[] = [];
  #next: number;

  constructor(parts: readonly Part[], minutes: number, print: (line: string) => void) {
    this.#parts = parts;
    this.#print = print;
    this.#everyMinutes = Math.min(1, minutes / 10);
    this.#next = this.#everyMinutes;
    print(line(["minute", "heap MB", "RSS MB", "handles", "listeners", "longest pause"]));
  }

  add(sample: Sample): void {
    this.#since.push(sample);
    if (sample.minutes < this.#next) return;
    this.#next += this.#everyMinutes;
    const { minutes, heap, rss, handles, listeners } = sample;
    const pause = longestOf(this.#since.flatMap(({ pauses }) => pauses));
    this.#since = [];
    const open = Object.values(handles).reduce((sum, each) => sum + each, 0);
    const longest =
      pause === undefined
        ? "-"
        : `${pause.ms.toFixed(1)} ms, ${pause.otherMs.toFixed(1)} of others (${pause.during})`;
    this.#print(
      line([minutes.toFixed(1), megabytes(heap), megabytes(rss), `${open}`, `${listeners}`, longest]),
    );
  }

  /** What each part did. */
  end(): void {
    for (const part of this.#parts) {
      const figures = Object.entries(part.figures()).map(([name, n]) => `${n.toLocaleString("en")} ${name}`);
      if (figures.length > 0) this.#print(`${part.name}: ${figures.join(", ")}`);
    }
  }
}

function line(cells: readonly string[]): string {
  return cells.map((cell) => cell.padStart(9)).join("  ");
}
