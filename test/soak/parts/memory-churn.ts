import { MemoryStore, Throttled } from "../../../src/index.js";
import type { Part } from "../part.js";
import type { Random } from "../random.js";

const STEP_MS = 0.4;
const CALLS_BETWEEN_LOOKS = 16;
/** Calls for each key: a map that is full of deleted keys is made twice as large, once. */
const CALLS_TO_SETTLE = 5;
/** How much smaller the stores besides the large one are. */
const SMALLER = 10;

/** A store, the limiters that share it, and how many keys come to it. */
interface Churned {
  readonly store: MemoryStore;
  readonly limiters: readonly Throttled<MemoryStore>[];
  readonly maxSize: number;
  readonly keys: number;
}

/** Stores that forget since they are full, with one limiter and with several, and one whose keys are fresh again soon. */
export class MemoryChurn implements Part {
  readonly name = "memory churn";
  readonly #large: Churned;
  readonly #shared: Churned;
  readonly #shortLived: Churned;
  readonly #random: Random;
  #calls = 0;

  constructor(keys: number, random: Random) {
    this.#random = random;
    const fewer = Math.ceil(keys / SMALLER);
    this.#large = churned(keys, 2 * keys, "10/h");
    this.#shared = churned(fewer, 2 * fewer, "20/h", "5/m; 20/h");
    this.#shortLived = churned(keys, fewer, "1/2s");
  }

  /** Whether there is no room for another key, and maps have grown as far as keys that come and go make them. */
  get isSettled(): boolean {
    const { store, maxSize } = this.#large;
    return store.size === maxSize && this.#calls >= CALLS_TO_SETTLE * maxSize;
  }

  step(): undefined {
    const end = performance.now() + STEP_MS;
    do {
      for (let call = 0; call < CALLS_BETWEEN_LOOKS; call++) this.#call();
      this.#calls += CALLS_BETWEEN_LOOKS;
    } while (performance.now() < end);
  }

  #call(): void {
    const which = this.#random() * SMALLER;
    const { limiters, keys } = which < 1 ? this.#shared : which < 2 ? this.#shortLived : this.#large;
    const limiter = limiters[Math.floor(this.#random() * limiters.length)]!;
    limiter.limitSync(`user:${Math.floor(this.#random() * keys)}`);
  }

  async idle(): Promise<void> {}

  faults(): string[] {
    return [this.#large, this.#shared, this.#shortLived]
      .filter(({ store, maxSize }) => store.size > maxSize)
      .map(({ store, maxSize }) => `${this.name}: ${store.size} keys where there is room for ${maxSize}`);
  }

  figures(): Readonly<Record<string, number>> {
    return { calls: this.#calls, "keys in the largest store": this.#large.store.size };
  }

  async close(): Promise<void> {
    for (const { store } of [this.#large, this.#shared, this.#shortLived]) await store.close();
  }
}

function churned(maxSize: number, keys: number, ...quotas: string[]): Churned {
  const store = new MemoryStore({ maxSize });
  return { store, maxSize, keys, limiters: quotas.map((quota) => new Throttled({ quota, store })) };
}
