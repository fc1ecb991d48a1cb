import type { Pause } from "./pauses.js";
import type { Sample } from "./sample.js";

/** What a process may do that is used for long. */
export interface Limits {
  /** The longest pause of its own, in milliseconds. */
  readonly pauseMs: number;
  /** How much the heap of the last quarter may differ from that of the second, as a share of it. */
  readonly heapShare: number;
  /** Bytes by which a heap may differ in any case. */
  readonly heapBytes: number;
}

/** Before, stores fill up and code is compiled. */
const WARM = 1 / 10;

/** What samples of a whole run show, apart from its beginning: everything that grew, and pauses that were too long. */
export function verdictOf(samples: readonly Sample[], limits: Limits): string[] {
  const quarter = Math.floor(samples.length / 4);
  if (quarter === 0) return ["There are too few samples to compare"];
  const [second, last] = [samples.slice(quarter, 2 * quarter), samples.slice(-quarter)];
  return [
    ...heapFaults(mean(second), mean(last), limits),
    ...growth("listeners", second, last, ({ listeners }) => listeners),
    ...kindsOf(last).flatMap((kind) =>
      growth(`handles ${kind}`, second, last, ({ handles }) => handles[kind] ?? 0),
    ),
    ...pauseFaults(samples.slice(Math.ceil(samples.length * WARM)), limits),
  ];
}

/** What is left behind when all is closed. */
export function leftBehind(before: Sample, after: Sample, { heapBytes }: Limits): string[] {
  const faults = [
    ...growth("listeners after the end", [before], [after], ({ listeners }) => listeners),
    ...kindsOf([after]).flatMap((kind) =>
      growth(`handles ${kind} after the end`, [before], [after], ({ handles }) => handles[kind] ?? 0),
    ),
  ];
  if (after.heap - before.heap > heapBytes)
    faults.push(`heap after the end: ${megabytes(before.heap)} → ${megabytes(after.heap)} MB`);
  return faults;
}

/** By how much a pause was of our own making: what piled up while something else held us up takes no longer than that did. */
export function ownMs({ ms, otherMs }: Pause): number {
  return ms - otherMs;
}

/** The longest of some pauses, if there is any. */
export function longestOf(pauses: readonly Pause[]): Pause | undefined {
  return [...pauses].sort((one, other) => ownMs(other) - ownMs(one))[0];
}

export function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function heapFaults(before: number, after: number, { heapShare, heapBytes }: Limits): string[] {
  const difference = Math.abs(after - before);
  if (difference <= heapBytes || difference <= heapShare * before) return [];
  return [
    `heap: ${megabytes(before)} → ${megabytes(after)} MB, by means of the second and of the last quarter`,
  ];
}

function pauseFaults(samples: readonly Sample[], { pauseMs }: Limits): string[] {
  const long = samples.flatMap(({ pauses }) => pauses.filter((pause) => ownMs(pause) > pauseMs));
  const longest = longestOf(long);
  if (longest === undefined) return [];
  return [
    `pauses: ${long.length} above ${pauseMs} ms, the longest ${ownMs(longest).toFixed(1)} ms (${longest.during})`,
  ];
}

function growth(
  what: string,
  second: readonly Sample[],
  last: readonly Sample[],
  count: (sample: Sample) => number,
): string[] {
  // A socket that is just closing counts in one sample; what leaks counts in each that follows.
  const [before, after] = [Math.max(...second.map(count)), Math.min(...last.map(count))];
  return after > before ? [`${what}: ${before} → ${after}`] : [];
}

function kindsOf(samples: readonly Sample[]): string[] {
  return [...new Set(samples.flatMap(({ handles }) => Object.keys(handles)))];
}

function mean(samples: readonly Sample[]): number {
  return samples.reduce((sum, { heap }) => sum + heap, 0) / samples.length;
}
