import type { AbortSignalLike } from "../../src/index.js";
import type { Machine } from "./virtual-time.js";

/** A signal that knows how many listen to it. */
export class StopSignal implements AbortSignalLike {
  aborted = false;
  reason: unknown;
  /** When it was aborted. */
  abortedAt = Number.POSITIVE_INFINITY;
  readonly listeners = new Set<() => void>();
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Whether somebody who lives still listens. */
  get isHeard(): boolean {
    return this.listeners.size > 0 && !this.#machine.isDead;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.listeners.delete(listener);
  }

  abort(now: number): void {
    this.aborted = true;
    this.abortedAt = now;
    this.reason = new Error("it was aborted");
    for (const listener of [...this.listeners]) listener();
    this.listeners.clear();
  }
}
