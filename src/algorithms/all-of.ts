import type { Algorithm, Numbers } from "./algorithm.js";

/** Several quotas as one, which passes what all of them pass; their states follow each other. */
export class AllOf implements Algorithm {
  readonly size: number;
  readonly capacity: number;
  readonly refillMs: number;
  readonly horizonMs: number;
  readonly #parts: readonly Algorithm[];

  constructor(parts: readonly Algorithm[]) {
    this.#parts = parts;
    this.size = parts.reduce((sum, { size }) => sum + size, 0);
    this.capacity = Math.min(...parts.map(({ capacity }) => capacity));
    this.refillMs = Math.max(...parts.map(({ refillMs }) => refillMs));
    this.horizonMs = Math.min(...parts.map(({ horizonMs }) => horizonMs));
  }

  advance(numbers: Numbers, i: number, from: number, now: number): void {
    this.#each(i, (part, at) => part.advance(numbers, at, from, now));
  }

  wait(numbers: Numbers, i: number, from: number, now: number, cost: number, queued: boolean): number {
    return Math.max(...this.#each(i, (part, at) => part.wait(numbers, at, from, now, cost, queued)));
  }

  spend(numbers: Numbers, i: number, from: number, now: number, cost: number): number {
    const wait = this.wait(numbers, i, from, now, cost, false);
    if (wait === 0) this.charge(numbers, i, from, now, cost);
    return wait;
  }

  charge(numbers: Numbers, i: number, from: number, now: number, cost: number): void {
    this.#each(i, (part, at) => part.charge(numbers, at, from, now, cost));
  }

  unbook(numbers: Numbers, i: number, before: Numbers, after: Numbers, now: number, cost: number): void {
    this.#each(i, (part, at) => {
      if (part.unbook) part.unbook(numbers, at, before, after, now, cost);
      else part.charge(numbers, at, now, now, -cost);
    });
  }

  exhaust(numbers: Numbers, i: number, now: number): void {
    this.#each(i, (part, at) => part.exhaust(numbers, at, now));
  }

  remaining(numbers: Numbers, i: number, from: number, now: number): number {
    return Math.min(...this.#each(i, (part, at) => part.remaining(numbers, at, from, now)));
  }

  resetAfterMs(numbers: Numbers, i: number, from: number, now: number): number {
    return Math.max(...this.#each(i, (part, at) => part.resetAfterMs(numbers, at, from, now)));
  }

  /** The part that is left of the quota of which that is least, from 0 to 1. */
  left(numbers: Numbers, i: number, from: number, now: number): number {
    return Math.min(...this.#each(i, (part, at) => part.remaining(numbers, at, from, now) / part.capacity));
  }

  /** The index of the quota with the longest wait for `cost` or, for 0, of the one with the least left; the first of equals. */
  decisive(numbers: Numbers, i: number, from: number, now: number, cost: number, queued: boolean): number {
    const left = this.#each(i, (part, at) =>
      cost > 0 ? -part.wait(numbers, at, from, now, cost, queued) : part.remaining(numbers, at, from, now),
    );
    return left.indexOf(Math.min(...left));
  }

  /** One of the quotas. */
  part(index: number): Algorithm {
    return this.#parts[index]!;
  }

  /** Where the state of one of the quotas begins. */
  indexOf(index: number, i: number): number {
    return this.#parts.slice(0, index).reduce((sum, { size }) => sum + size, i);
  }

  #each<T>(i: number, ask: (part: Algorithm, i: number) => T): T[] {
    let next = i;
    return this.#parts.map((part) => {
      const answer = ask(part, next);
      next += part.size;
      return answer;
    });
  }
}
