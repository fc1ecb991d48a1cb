import { MemoryStore, Throttled } from "../../../src/index.js";
import type { Part } from "../part.js";
import type { Random } from "../random.js";

const STEP_MS = 0.4;
const CALLS_BETWEEN_LOOKS = 16;

/** Twice as many keys as a store has room for; some leave since they are fresh again, others since it is full. */
export class MemoryChurn implements Part {
  readonly name = "memory churn";
  readonly #store: MemoryStore;
  readonly #limiters: readonly Throttled<MemoryStore>[];
  readonly #keys: number;
  readonly #random: Random;
  #calls = 0;

  constructor(keys: number, random: Random) {
    this.#keys = keys;
    this.#random = random;
    this.#store = new MemoryStore({ maxSize: keys });
    this.#limiters = ["10/h", "1/2s", "5/m; 20/h"].map(
      (quota) => new Throttled({ quota, store: this.#store }),
    );
  }

  /** Whether there is no room for another key. */
  get isFull(): boolean {
    return this.#store.size === this.#keys;
  }

  step(): undefined {
    const end = performance.now() + STEP_MS;
    do {
      for (let call = 0; call < CALLS_BETWEEN_LOOKS; call++) {
        // Most under the long quota, so that the store stays full.
        const limiter = this.#limiters[Math.max(0, Math.floor(this.#random() * 8) - 5)]!;
        limiter.limitSync(`user:${Math.floor(this.#random() * 2 * this.#keys)}`);
      }
      this.#calls += CALLS_BETWEEN_LOOKS;
    } while (performance.now() < end);
  }

  async idle(): Promise<void> {}

  faults(): string[] {
    return this.#store.size > this.#keys ? [`${this.name}: ${this.#store.size} keys`] : [];
  }

  figures(): Readonly<Record<string, number>> {
    return { calls: this.#calls, "keys in memory": this.#store.size };
  }

  async close(): Promise<void> {
    this.#store.close();
  }
}
