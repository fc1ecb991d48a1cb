import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import type { Part } from "./part.js";
import { Pauses } from "./pauses.js";
import { type Sample, takeSample } from "./sample.js";
import { type Limits, verdictOf } from "./verdict.js";

export interface Soaking {
  readonly minutes: number;
  readonly limits: Limits;
  /** Called with each sample. */
  readonly onSample?: (sample: Sample) => void;
}

/** How many samples a run has, unless they would be further apart than that. */
const SAMPLES = 16;
const MOST_MS_APART = 15_000;
/** A quarter has two at least, also where the machine had other things to do all the time. */
const FEWEST_SAMPLES = 8;

/** How long calls that are under way may take to settle: much longer than their timeouts, as the machine may have other things to do. */
const SETTLED_MS = 30_000;

/** Lets all parts work side by side for so long. @returns what was wrong, each once. */
export async function soak(
  parts: readonly Part[],
  { minutes, limits, onSample }: Soaking,
): Promise<string[]> {
  const pauses = await Pauses.start();
  const samples: Sample[] = [];
  const faults = new Set<string>();
  const start = performance.now();
  const lastsMs = minutes * 60_000;
  const apartMs = Math.min(MOST_MS_APART, lastsMs / SAMPLES);
  try {
    while (performance.now() - start < lastsMs || samples.length < FEWEST_SAMPLES) {
      await work(parts, pauses, performance.now() + apartMs);
      await settled(parts);
      for (const fault of parts.flatMap((part) => part.faults())) faults.add(fault);
      const sample = takeSample((performance.now() - start) / 60_000, parts, await pauses.found());
      samples.push(sample);
      onSample?.(sample);
    }
  } finally {
    await pauses.stop();
  }
  return [...faults, ...verdictOf(samples, limits)];
}

/** Steps of all parts, each in a turn of its own, and some rest. */
async function work(parts: readonly Part[], pauses: Pauses, until: number): Promise<void> {
  pauses.skip();
  while (performance.now() < until) {
    for (const part of parts) {
      const excused = part.step();
      await turn();
      if (excused) pauses.skip();
      else pauses.lap(part.name);
    }
    await sleep(1);
    pauses.lap("rest");
  }
}

async function settled(parts: readonly Part[]): Promise<void> {
  const late = new AbortController();
  const all = Promise.all(parts.map((part) => part.idle())).then(() => "settled");
  const outcome = await Promise.race([all, sleep(SETTLED_MS, "late", { signal: late.signal })]);
  late.abort();
  if (outcome === "late") throw new Error(`Calls have not settled within ${SETTLED_MS} ms`);
}
