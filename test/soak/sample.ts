import { type EventEmitter, getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Part } from "./part.js";
import type { Pause } from "./pauses.js";

/** The process at a moment when nothing is under way. */
export interface Sample {
  /** Minutes since the start. */
  readonly minutes: number;
  /** Bytes that are in use after a full garbage collection, those of arrays of numbers included. */
  readonly heap: number;
  readonly rss: number;
  /** What keeps the process alive, by its kind: how many. */
  readonly handles: Readonly<Record<string, number>>;
  readonly listeners: number;
  /** Pauses before it. */
  readonly pauses: readonly Pause[];
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Looks at the process; takes as long as a full garbage collection. */
export function takeSample(minutes: number, parts: readonly Part[], pauses: readonly Pause[]): Sample {
  // What the first one finalizes, the second one frees.
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    minutes,
    heap: heapUsed + external,
    rss,
    handles: handles(),
    listeners: listeners(parts),
    pauses,
  };
}

function handles(): Record<string, number> {
  const all: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) all[kind] = (all[kind] ?? 0) + 1;
  return all;
}

function listeners(parts: readonly Part[]): number {
  const watched = [process, ...parts.flatMap((part) => part.watched?.() ?? [])];
  return watched.reduce((sum, each) => sum + listenersOf(each), 0);
}

function listenersOf(watched: EventEmitter | EventTarget): number {
  if (watched instanceof EventTarget) return getEventListeners(watched, "abort").length;
  return watched.eventNames().reduce((sum, name) => sum + watched.listenerCount(name), 0);
}
