import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { PerformanceObserver } from "node:perf_hooks";

interface Span {
  readonly start: number;
  readonly end: number;
}

/** A time for which the event loop was held up. */
interface Busy extends Span {
  readonly lap: number;
  /** What of it this process did of its own accord. */
  readonly ownMs: number;
  /** What was done last. */
  readonly during: string;
}

/** A pause that neither a garbage collection nor another process accounts for. */
export interface Pause {
  readonly ms: number;
  readonly during: string;
}

/** Shorter ones could not be too long. */
const LONG_MS = 2;
/** A garbage collection is told of some turns of the event loop later, however long they take. */
const TOLD_AFTER_LAPS = 50;
/** For how long a collection is remembered, should what it held up be told of only now. */
const KEPT_MS = 10_000;

/** Of the main thread where Node can say that; otherwise the threads that help it are included. */
const cpuUsage = (process as { threadCpuUsage?: typeof process.cpuUsage }).threadCpuUsage ?? process.cpuUsage;

/** Measures how long the event loop is held up, and by whom: by this process, its garbage collector, or others on this machine. */
export class Pauses {
  readonly #observer: PerformanceObserver;
  readonly #scheduler = new Scheduler();
  #collections: Span[] = [];
  #busy: Busy[] = [];
  #lap = this.#now();
  #laps = 0;
  #heldMs = 0;
  #lostMs = 0;
  readonly #found: Pause[] = [];

  constructor() {
    this.#observer = new PerformanceObserver((list) => this.#collect(list.getEntries()));
    this.#observer.observe({ entryTypes: ["gc"] });
  }

  /** Begins anew: what came before was no pause of anybody. */
  skip(): void {
    this.#lap = this.#now();
  }

  /** The end of a turn of the event loop, or of some. */
  lap(during: string): void {
    const before = this.#lap;
    const now = this.#now();
    this.#lap = now;
    const held = now.at - before.at - (now.idleMs - before.idleMs);
    // What another virtual machine took shows as neither.
    const lostMs = Math.max(now.waitedMs - before.waitedMs, held - (now.cpuMs - before.cpuMs));
    this.#laps++;
    this.#heldMs += held;
    this.#lostMs += lostMs;
    if (held >= LONG_MS)
      this.#busy.push({ lap: this.#laps, start: before.at, end: now.at, ownMs: held - lostMs, during });
    const told = this.#laps - TOLD_AFTER_LAPS;
    if (this.#busy[0] !== undefined && this.#busy[0].lap <= told) this.#judge(told);
  }

  /** All that took long since it was asked last, and which share it got of the time for which this process wanted a CPU. */
  found(): { readonly pauses: readonly Pause[]; readonly cpuShare: number } {
    this.#collect(this.#observer.takeRecords());
    this.#judge(Number.POSITIVE_INFINITY);
    const cpuShare = this.#heldMs === 0 ? 1 : 1 - Math.min(this.#lostMs, this.#heldMs) / this.#heldMs;
    this.#heldMs = this.#lostMs = 0;
    return { pauses: this.#found.splice(0), cpuShare };
  }

  stop(): void {
    this.#observer.disconnect();
    this.#scheduler.close();
  }

  #now() {
    const { user, system } = cpuUsage();
    return {
      at: performance.now(),
      cpuMs: (user + system) / 1_000,
      idleMs: performance.nodeTiming.idleTime,
      waitedMs: this.#scheduler.waitedMs(),
    };
  }

  #collect(entries: readonly { readonly startTime: number; readonly duration: number }[]): void {
    for (const { startTime, duration } of entries)
      this.#collections.push({ start: startTime, end: startTime + duration });
  }

  #judge(until: number): void {
    const told = this.#busy.filter(({ lap }) => lap <= until);
    this.#busy = this.#busy.filter(({ lap }) => lap > until);
    for (const busy of told) {
      const ms = busy.ownMs - overlapMs(busy, this.#collections);
      if (ms >= LONG_MS) this.#found.push({ ms, during: busy.during });
    }
    const oldest = Math.min(this.#busy[0]?.start ?? this.#lap.at, this.#lap.at - KEPT_MS);
    this.#collections = this.#collections.filter(({ end }) => end > oldest);
  }
}

/** How much of a span others cover, which may lie within one another. */
function overlapMs({ start, end }: Span, others: readonly Span[]): number {
  let [covered, upTo] = [0, start];
  for (const other of [...others].sort((one, two) => one.start - two.start)) {
    const from = Math.max(upTo, other.start);
    const to = Math.min(end, other.end);
    if (to <= from) continue;
    covered += to - from;
    upTo = to;
  }
  return covered;
}

/** What Linux says of how long this process wanted to run and could not; elsewhere nothing is known of it. */
class Scheduler {
  readonly #files = [
    // The main thread while another one had the CPU, in nanoseconds.
    new ProcFile("/proc/self/schedstat", /^\d+ (\d+)/, 1e-6),
    // This machine, if it is a virtual one, while another one had the CPU, in hundredths of a second.
    new ProcFile("/proc/stat", /^cpu +(?:\d+ ){7}(\d+)/, 10),
  ];

  waitedMs(): number {
    return this.#files.reduce((sum, file) => sum + file.ms(), 0);
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}

/** A file that stays open, as it is read very often. */
class ProcFile {
  readonly #file: number | undefined;
  readonly #pattern: RegExp;
  readonly #unitMs: number;
  readonly #buffer = Buffer.alloc(128);

  constructor(path: string, pattern: RegExp, unitMs: number) {
    this.#file = existsSync(path) ? openSync(path, "r") : undefined;
    this.#pattern = pattern;
    this.#unitMs = unitMs;
  }

  ms(): number {
    if (this.#file === undefined) return 0;
    const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, 0);
    const [, units = "0"] = this.#pattern.exec(this.#buffer.toString("latin1", 0, length)) ?? [];
    return Number(units) * this.#unitMs;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}
