import { monitorEventLoopDelay } from "node:perf_hooks";
import { nextTick } from "../support/next-tick.js";

/** How a call ended, and how long that took. */
export interface Outcome<T> {
  readonly ms: number;
  readonly result?: T;
  readonly error?: unknown;
}

const NEVER_MS = 3_000;

/** Runs a call to its end; one that has none within 3 s ends with an error that says so. */
export async function observe<T>(call: () => Promise<T>): Promise<Outcome<T>> {
  const start = performance.now();
  let guard: NodeJS.Timeout | undefined;
  const never = new Promise<never>((_, reject) => {
    guard = setTimeout(() => reject(new Error("The call never settled")), NEVER_MS);
  });
  try {
    const result = await Promise.race([call(), never]);
    return { ms: performance.now() - start, result };
  } catch (error) {
    return { ms: performance.now() - start, error };
  } finally {
    clearTimeout(guard);
  }
}

/**
 * Runs calls to their ends, all at once. From the time of each is taken off for how long this process could not run although
 * it had something to do: that is the doing of a busy machine. What it spent on calculating itself is not taken off.
 */
export async function observeAll<T>(calls: readonly (() => Promise<T>)[]): Promise<Outcome<T>[]> {
  const loop = monitorEventLoopDelay({ resolution: 5 });
  const start = process.cpuUsage();
  loop.enable();
  const outcomes = await Promise.all(calls.map((call) => observe(call)));
  loop.disable();
  const { user, system } = process.cpuUsage(start);
  const stolenMs = Math.max(0, loop.max / 1e6 - (user + system) / 1e3);
  return outcomes.map((outcome) => ({ ...outcome, ms: outcome.ms - stolenMs }));
}

/** The same calls, of which two begin in each turn of the event loop: some travel together, and some follow each other closely. */
export function inTurns<T>(calls: readonly (() => Promise<T>)[]): (() => Promise<T>)[] {
  return calls.map((call, i) => async () => {
    for (let turn = 0; turn < Math.floor(i / 2); turn++) await nextTick();
    return call();
  });
}

/** The longest that any of some calls took. */
export function slowest(outcomes: readonly Outcome<unknown>[]): number {
  return Math.max(...outcomes.map(({ ms }) => ms));
}

const watchers = new Set<unknown[]>();

/** Notes what this process fails to handle, and what it is warned of, from now on; an empty list when all is well. */
export function watchProcess(): { problems: unknown[]; stop(): void } {
  const problems: unknown[] = [];
  if (watchers.size === 0) {
    for (const event of EVENTS) process.on(event, note);
  }
  watchers.add(problems);
  const stop = (): void => {
    watchers.delete(problems);
    if (watchers.size === 0) for (const event of EVENTS) process.off(event, note);
  };
  return { problems, stop };
}

const EVENTS = ["unhandledRejection", "uncaughtException", "warning"];

function note(problem: unknown): void {
  for (const problems of watchers) problems.push(problem);
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
