import type { Booking, Decision, Limiter, Store } from "../../src/index.js";
import { MemoryStore } from "../../src/index.js";
import type { ManualClock } from "../../src/testing.js";

/** A MemoryStore behind promises, as a server would be: it counts what is asked of it, and can be slow or fail. */
export class RemoteStore implements Store {
  readonly name = "remote";
  readonly sync = false;
  readonly clock: ManualClock;
  /** The cost of each decision that was asked for, in order. */
  readonly asked: number[] = [];
  /** Which decisions fail, by their cost. */
  failsOn: (cost: number) => boolean = () => false;
  readonly #memory: MemoryStore;
  #held: Promise<void> | undefined;

  /** Stores over the same `memory` are clients of one server in different processes. */
  constructor(clock: ManualClock, memory = new MemoryStore({ clock })) {
    this.clock = clock;
    this.#memory = memory;
  }

  /** Keeps answers back until the function that it returns is called; decisions are made at once. */
  hold(): () => void {
    let release = (): void => {};
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    return () => {
      this.#held = undefined;
      release();
    };
  }

  async decide(
    limiter: Limiter,
    key: string,
    cost: number,
    maxWaitMs: number,
    booking?: Booking,
  ): Promise<Decision> {
    this.asked.push(cost);
    if (this.failsOn(cost)) throw new Error("the server is gone");
    const decision = this.#memory.decide(limiter, key, cost, maxWaitMs, booking);
    await this.#held;
    return decision;
  }

  async reset(limiter: Limiter, key: string): Promise<void> {
    this.#memory.reset(limiter, key);
  }
}
