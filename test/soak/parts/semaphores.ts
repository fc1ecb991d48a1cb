import { isLimitedError, isStoreError, ThrottledError } from "../../../src/errors.js";
import { type Lease, Semaphore, type Store } from "../../../src/index.js";
import { type Part, UnderWay } from "../part.js";
import type { Random } from "../random.js";

const CAPACITY = 5;
const LEASE_MS = 1_000;
const MOST_UNDER_WAY = 15;
const AT_ONCE = 3;
const GIVES_UP = new Error("Does not want to wait any more");

/** A semaphore that more want than there is room for; some give up, all hold it for a few milliseconds. */
export class Semaphores implements Part {
  readonly name: string;
  readonly #semaphore: Semaphore<Store>;
  readonly #random: Random;
  readonly #forgottenAt: () => number;
  readonly #underWay = new UnderWay();
  readonly #held = new Set<Lease>();
  readonly #due = new Map<() => void, number>();
  readonly #figures = { calls: 0, limited: 0, lost: 0, "store errors": 0 };
  #most = 0;

  /** @param forgottenAt when the store last forgot who holds what, by `performance.now()`. */
  constructor(name: string, store: Store, random: Random, forgottenAt: () => number = () => -LEASE_MS) {
    this.name = name;
    this.#random = random;
    this.#forgottenAt = forgottenAt;
    this.#semaphore = new Semaphore<Store>({
      key: "semaphore",
      capacity: CAPACITY,
      store,
      lease: LEASE_MS,
      timeout: "300ms",
    });
  }

  step(): undefined {
    const now = performance.now();
    for (const [act, at] of this.#due) {
      if (at > now) continue;
      this.#due.delete(act);
      act();
    }
    for (let more = AT_ONCE; more > 0 && this.#underWay.size < MOST_UNDER_WAY; more--) {
      this.#underWay.add(this.#hold());
    }
  }

  async #hold(): Promise<void> {
    const controller = new AbortController();
    const giveUp = (): void => controller.abort(GIVES_UP);
    if (this.#random() < 0.2) this.#due.set(giveUp, performance.now() + this.#random() * 50);
    this.#figures.calls++;
    try {
      const lease = await this.#semaphore.acquire("semaphore", { signal: controller.signal });
      this.#held.add(lease);
      this.#look();
      await new Promise<void>((resolve) => this.#due.set(resolve, performance.now() + this.#random() * 20));
      this.#held.delete(lease);
      await lease.release();
    } catch (error) {
      if (isLimitedError(error)) this.#figures.limited++;
      else if (isStoreError(error)) this.#figures["store errors"]++;
      else if (error instanceof ThrottledError) this.#figures.lost++;
      else if (error !== GIVES_UP) throw error;
    }
    this.#due.delete(giveUp);
  }

  /** Counts the holders, unless the store may have forgotten one that has not renewed its lease yet. */
  #look(): void {
    if (performance.now() - this.#forgottenAt() < 2 * LEASE_MS) return;
    this.#most = Math.max(this.#most, [...this.#held].filter((lease) => lease.expiresInMs > 0).length);
  }

  async idle(): Promise<void> {
    while (this.#underWay.size > 0) {
      for (const act of this.#due.keys()) act();
      this.#due.clear();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  faults(): string[] {
    return this.#most > CAPACITY ? [`${this.name}: ${this.#most} held ${CAPACITY} permits`] : [];
  }

  figures(): Readonly<Record<string, number>> {
    return this.#figures;
  }

  async close(): Promise<void> {}
}
