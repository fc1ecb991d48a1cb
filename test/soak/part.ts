import type { EventEmitter } from "node:events";

/** A part of the load on the process. */
export interface Part {
  readonly name: string;
  /**
   * Does a piece of work of less than a millisecond, and begins what takes longer. Answers `"excused"` if this one held up the
   * process for a reason that is none of the library's.
   */
  step(): "excused" | undefined;
  /** Resolves when nothing of it is under way any more. */
  idle(): Promise<void>;
  /** What was wrong since it was asked last, which is while nothing is under way. */
  faults(): string[];
  /** What it did since it began, by name. */
  figures(): Readonly<Record<string, number>>;
  /** What it adds listeners to that lives as long as the process. */
  readonly watched?: () => readonly (EventEmitter | EventTarget)[];
  close(): Promise<void>;
}

/** Calls that are under way. */
export class UnderWay {
  readonly #calls = new Set<Promise<void>>();

  get size(): number {
    return this.#calls.size;
  }

  add(call: Promise<void>): void {
    const kept = call.finally(() => this.#calls.delete(kept));
    this.#calls.add(kept);
  }

  async end(): Promise<void> {
    while (this.#calls.size > 0) await Promise.all(this.#calls);
  }
}
