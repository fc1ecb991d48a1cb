import type { Network } from "./network.js";
import type { Machine, VirtualTime } from "./virtual-time.js";

/** What everything in a simulation has in common. */
export interface World {
  readonly time: VirtualTime;
  readonly network: Network;
  /** Writes down what happens, if anybody wants to read it. */
  note(text: () => string): void;
  /** Looks at something once all that happens in this turn has happened. */
  afterTurn(look: () => void): void;
  /** Ends the simulation, as something is not as it was promised. */
  fail(problem: string): void;
}

/** How late a machine may do what is due at a moment: timers end on whole milliseconds, and after it stood still there is a grace. */
export function lastMomentFor(machine: Machine, dueAt: number, startedAt: number): number {
  const { stalledUntil } = machine;
  return stalledUntil > startedAt && stalledUntil < Number.POSITIVE_INFINITY
    ? Math.max(dueAt, stalledUntil) + 45
    : dueAt;
}
