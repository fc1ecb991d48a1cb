import { MemoryStore, Semaphore, type SemaphoreOptions } from "../../src/index.js";
import { ManualClock } from "../../src/testing.js";
import { turn } from "./manual-time.js";

/** A semaphore in a memory of its own whose time stands still. */
export function onManualClock(options: Omit<SemaphoreOptions, "store">) {
  const clock = new ManualClock();
  const store = new MemoryStore({ clock });
  const semaphore = new Semaphore({ ...options, store });
  return {
    clock,
    store,
    semaphore,
    /** Another semaphore on the same store, as another part of the program has it. */
    beside: (others: Partial<SemaphoreOptions> = {}) => new Semaphore({ ...options, ...others, store }),
    /** Lets time pass in steps, and all that happens in each of them happen. */
    async pass(ms: number, stepMs = ms): Promise<void> {
      await turn();
      for (let passed = 0; passed < ms; passed += stepMs) {
        clock.advance(stepMs);
        await turn();
      }
    },
  };
}

/** Notes who is let in, in order. */
export class Turns {
  readonly order: unknown[] = [];

  /** Notes `name` once its lease is there, and hands that on. */
  note<T>(name: unknown, acquired: Promise<T>): Promise<T> {
    acquired.then(
      () => this.order.push(name),
      () => {},
    );
    return acquired;
  }
}
