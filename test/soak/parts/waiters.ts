import { type Store, Throttled } from "../../../src/index.js";
import { Grants } from "../grants.js";
import { type Part, UnderWay } from "../part.js";
import type { Random } from "../random.js";

const LIMIT = 100;
const BURST = 5;
const TIMEOUT_MS = 300;
const MOST_UNDER_WAY = 40;
const AT_ONCE = 3;
const GIVES_UP = new Error("Does not want to wait any more");

/** Calls that wait for their turn, of which some give up. */
export class Waiters implements Part {
  readonly name: string;
  readonly #limiter: Throttled<Store>;
  readonly #random: Random;
  readonly #grants: Grants;
  readonly #underWay = new UnderWay();
  /** A signal that nobody ever aborts must not remember the calls that had it. */
  readonly #stays = new AbortController();
  readonly #impatient = new Map<AbortController, number>();

  constructor(name: string, store: Store, random: Random, timesForgotten?: () => number) {
    this.name = name;
    this.#random = random;
    const quota = { limit: LIMIT, period: "1s", burst: BURST } as const;
    this.#limiter = new Throttled<Store>({ key: "waiters", quota, store, timeout: TIMEOUT_MS });
    const booked = (LIMIT * TIMEOUT_MS) / 1_000;
    const bound = { atOnce: BURST, perSecond: LIMIT, whenForgotten: BURST + booked };
    this.#grants = new Grants(name, bound, timesForgotten);
  }

  readonly watched = () => [this.#stays.signal];

  step(): undefined {
    const now = performance.now();
    for (const [controller, at] of this.#impatient) {
      if (at > now) continue;
      this.#impatient.delete(controller);
      controller.abort(GIVES_UP);
    }
    for (let more = AT_ONCE; more > 0 && this.#underWay.size < MOST_UNDER_WAY; more--) {
      this.#underWay.add(this.#ask());
    }
  }

  async #ask(): Promise<void> {
    const own = this.#random() < 0.3 ? new AbortController() : undefined;
    if (own !== undefined) this.#impatient.set(own, performance.now() + this.#random() * 200);
    try {
      this.#grants.count(await this.#limiter.limit("waiters", { signal: own?.signal ?? this.#stays.signal }));
    } catch (error) {
      if (error === GIVES_UP) this.#grants.countGivenBack();
      else this.#grants.countError(error);
    }
    if (own !== undefined) this.#impatient.delete(own);
  }

  idle(): Promise<void> {
    return this.#underWay.end();
  }

  faults(): string[] {
    return this.#grants.faults();
  }

  figures(): Readonly<Record<string, number>> {
    return this.#grants.figures;
  }

  async close(): Promise<void> {}
}
