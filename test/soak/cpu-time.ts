import { closeSync, existsSync, openSync, readSync } from "node:fs";

/** Of Linux: for how long the main thread ran, in nanoseconds, without the time that another virtual machine took. */
const SCHEDULED = "/proc/self/schedstat";

/** The CPU time of the main thread; that of other threads, which compile and collect, is in it only where Linux does not say. */
export class CpuTime {
  readonly #file = existsSync(SCHEDULED) ? openSync(SCHEDULED, "r") : undefined;
  readonly #buffer = Buffer.alloc(64);

  /** Microseconds since the process began. */
  us(): number {
    // Linux brings what it says of a running thread up to date when it is asked for this.
    const { user, system } = process.cpuUsage();
    if (this.#file === undefined) return user + system;
    const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, 0);
    return Number.parseInt(this.#buffer.toString("latin1", 0, length), 10) / 1_000;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}
