import { type Profiler, Session } from "node:inspector/promises";
import { CpuTime } from "./cpu-time.js";

/** A turn of the event loop that took long. */
export interface Pause {
  /** How long the library was seen to work in it, with all that it called. */
  readonly ms: number;
  /** How long the process was held up by something else than its own work, in this turn and in the one before. */
  readonly otherMs: number;
  /** What was done last, and where it was seen for how long. */
  readonly during: string;
}

/** A turn of the event loop, in microseconds. */
interface Turn {
  readonly start: number;
  readonly end: number;
  /** CPU time of that. */
  readonly cpu: number;
  /** How long it waited for something to do. */
  readonly idle: number;
  readonly during: string;
}

/** Shorter ones could not be too long. */
const LONG_US = 4_000;
const LOOKS_EVERY_US = 250;
/** Who is not seen for longer than that does not run, whatever the clock of the CPU says: who does is seen each 330 us. */
const UNSEEN_US = 2 * LOOKS_EVERY_US;

const PLACES_TOLD = 2;

/** The folder of the project, which may be below another `src`. */
const ROOT = pathOf(new URL("../../", import.meta.url).href);

/** What a profiler calls that which is no work of the program. */
const NO_WORK = new Set(["(idle)", "(garbage collector)"]);

/**
 * Measures how long the event loop is held up by the library, and by what of it. Two measures leave out the times in which
 * something else had the CPU: its clock, which does not know of all that a host of virtual machines takes; and a profiler that
 * looks what is done some times a millisecond, which does not know of what is short.
 */
export class Pauses {
  #long: Turn[] = [];
  readonly #cpuTime = new CpuTime();
  #since = this.#now();

  static async start(): Promise<Pauses> {
    await profiler.post("Profiler.enable");
    await profiler.post("Profiler.setSamplingInterval", { interval: LOOKS_EVERY_US });
    await profiler.post("Profiler.start");
    return new Pauses();
  }

  /** Begins anew: what came before was no pause of anybody. */
  skip(): void {
    this.#since = this.#now();
  }

  /** The end of a turn of the event loop, or of some. */
  lap(during: string): void {
    const [since, now] = [this.#since, this.#now()];
    this.#since = now;
    if (now.at - since.at < LONG_US) return;
    const [cpu, idle] = [now.cpu - since.cpu, now.idle - since.idle];
    this.#long.push({ start: since.at, end: now.at, cpu, idle, during });
  }

  /** All pauses since it was asked last. */
  async found(): Promise<Pause[]> {
    const { profile } = await profiler.post("Profiler.stop");
    await profiler.post("Profiler.start");
    const seen = new Seen(profile);
    const pauses: Pause[] = [];
    let before = { end: 0, otherMs: 0 };
    for (const turn of this.#long) {
      const { ms, workMs, during } = seen.during(turn);
      const otherMs = (turn.end - turn.start - turn.idle) / 1_000 - workMs;
      const piledUpMs = otherMs + (turn.start === before.end ? before.otherMs : 0);
      if (ms * 1_000 >= LONG_US) pauses.push({ ms, otherMs: piledUpMs, during });
      before = { end: turn.end, otherMs };
    }
    this.#long = [];
    return pauses;
  }

  async stop(): Promise<void> {
    await profiler.post("Profiler.stop");
    this.#cpuTime.close();
  }

  #now() {
    // By the clock of profiles.
    const at = Number(process.hrtime.bigint() / 1_000n);
    return { at, cpu: this.#cpuTime.us(), idle: 1_000 * performance.nodeTiming.idleTime };
  }
}

/** Stays connected, as a session that ends takes the coverage with it that others of its process measure. */
const profiler = new Session();
profiler.connect();

/** What a profiler saw, and when. */
class Seen {
  readonly #nodes = new Map<number, Profiler.ProfileNode>();
  readonly #callers = new Map<number, number>();
  readonly #looks: { readonly from: number; readonly to: number; readonly node: number }[] = [];

  constructor({ nodes, samples = [], timeDeltas = [], startTime }: Profiler.Profile) {
    for (const node of nodes) {
      this.#nodes.set(node.id, node);
      for (const callee of node.children ?? []) this.#callers.set(callee, node.id);
    }
    let to = startTime;
    for (const [index, node] of samples.entries()) {
      const from = to;
      to += timeDeltas[index]!;
      this.#looks.push({ from, to, node });
    }
  }

  /** What was done in a turn: by the library, and by all of this process. */
  during({ start, end, cpu, during }: Turn): Omit<Pause, "otherMs"> & { workMs: number } {
    let [workUs, ownUs] = [0, 0];
    const places = new Map<string, number>();
    for (const { from, to, node } of this.#looks) {
      const seen = Math.min(Math.min(to, end) - Math.max(from, start), UNSEEN_US);
      if (seen <= 0 || NO_WORK.has(this.#nodes.get(node)!.callFrame.functionName)) continue;
      workUs += seen;
      const stack = this.#projectStack(node);
      if (!stack.some((place) => place.includes(" of src/"))) continue;
      ownUs += seen;
      places.set(stack[0]!, (places.get(stack[0]!) ?? 0) + seen);
    }
    const most = [...places].sort(([, one], [, other]) => other - one).slice(0, PLACES_TOLD);
    const told = most.map(([place, us]) => `${(us / 1_000).toFixed(1)} ms ${place}`);
    const [ms, workMs] = [Math.min(ownUs, cpu) / 1_000, Math.min(workUs, cpu) / 1_000];
    return { ms, workMs, during: [during, ...told].join(", ") };
  }

  /** The functions of this project that were under way, from the innermost. */
  #projectStack(node: number): string[] {
    const stack: string[] = [];
    for (let at: number | undefined = node; at !== undefined; at = this.#callers.get(at)) {
      const { functionName, url } = this.#nodes.get(at)!.callFrame;
      const path = pathOf(url);
      if (path.startsWith(ROOT) && !path.includes("/node_modules/"))
        stack.push(`${functionName || "a function"} of ${path.slice(ROOT.length)}`);
    }
    return stack;
  }
}

function pathOf(url: string): string {
  return url.replace(/^file:\/\//, "").replace(/\?.*/, "");
}
