import { isLimitedError, isStoreError, ThrottledError } from "../../src/index.js";
import type { Program } from "./program.js";
import type { StopSignal } from "./stop-signal.js";
import { lastMomentFor, type World } from "./world.js";

/** What a call came to. */
export type Ended<T> = { readonly value: T } | { readonly error: unknown };

/** What is expected of a call. */
export interface Terms {
  /** By when it has to settle, as far as is known now. */
  readonly dueAt: () => number;
  /** Whether a policy or a fallback answers in place of a server that is away. */
  readonly hasPolicy: boolean;
  readonly signal?: StopSignal | undefined;
}

/** Calls under way: each has to settle, in time, and with an error only where it may. */
export class Calls {
  readonly #world: World;
  readonly #pending = new Map<number, Program>();
  #numbers = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Those of processes that live, by number. */
  get pending(): number[] {
    return [...this.#pending].flatMap(([number, { machine }]) => (machine.isDead ? [] : number));
  }

  /** What `call` comes to; it never rejects. */
  async make<T>(program: Program, what: string, terms: Terms, call: () => Promise<T>): Promise<Ended<T>> {
    const { time, note } = this.#world;
    const { name } = program.machine;
    const number = ++this.#numbers;
    const startedAt = time.now;
    note(() => `${name} #${number} ${what}`);
    this.#pending.set(number, program);
    const settle = (end: Ended<T>): Ended<T> => {
      this.#pending.delete(number);
      note(() => `${name} #${number} ${"error" in end ? end.error : show(end.value)}`);
      const due = Math.min(terms.dueAt(), terms.signal?.abortedAt ?? Number.POSITIVE_INFINITY);
      if (time.now >= lastMomentFor(program.machine, due, startedAt) + 1) {
        this.#world.fail(`${name} #${number} ${what} settles ${time.now - due} ms late`);
      }
      if ("error" in end) this.#checkError(program, `${name} #${number} ${what}`, terms, end.error);
      return end;
    };
    try {
      return settle({ value: await call() });
    } catch (error) {
      return settle({ error });
    }
  }

  #checkError(program: Program, call: string, { hasPolicy, signal }: Terms, error: unknown): void {
    if (isLimitedError(error)) return;
    if (signal?.aborted && error === signal.reason) return;
    if (isStoreError(error)) {
      if (error.reason === "closed" && program.isClosed) return;
      if (program.isUndisturbed) this.#world.fail(`${call} fails though nothing is wrong: ${error}`);
      if (hasPolicy && program.plan.onUnavailable !== "throw") {
        this.#world.fail(`${call} fails in spite of its policy: ${error}`);
      }
      return;
    }
    if (error instanceof ThrottledError && error.message.startsWith("The lease was lost")) return;
    this.#world.fail(`${call} fails with ${(error as Error)?.stack ?? error}`);
  }
}

function show(value: unknown): string {
  // Ids of leases are others in each process.
  return value === undefined
    ? "done"
    : JSON.stringify(value, (key, each) => (key === "id" ? undefined : each));
}
