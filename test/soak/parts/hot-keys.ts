import { type AlgorithmName, type Store, Throttled } from "../../../src/index.js";
import { Grants } from "../grants.js";
import { type Part, UnderWay } from "../part.js";

const LIMIT = 20;
const ALGORITHMS: readonly AlgorithmName[] = [
  "fixed-window",
  "sliding-window",
  "token-bucket",
  "leaky-bucket",
  "gcra",
];
const MOST_UNDER_WAY = 20;

interface HotKey {
  readonly limiter: Throttled<Store>;
  readonly grants: Grants;
}

/** A key under each algorithm that is asked for more than it has, all the time. */
export class HotKeys implements Part {
  readonly name: string;
  readonly #keys: readonly HotKey[];
  readonly #underWay = new UnderWay();

  constructor(name: string, store: Store, timesForgotten?: () => number) {
    this.name = name;
    this.#keys = ALGORITHMS.map((using) => {
      // Two windows may lie side by side.
      const bound = { atOnce: using.endsWith("window") ? 2 * LIMIT : LIMIT, perSecond: LIMIT };
      return {
        limiter: new Throttled<Store>({ key: "hot", using, quota: `${LIMIT}/s`, store }),
        grants: new Grants(`${name}, ${using}`, bound, timesForgotten),
      };
    });
  }

  step(): undefined {
    if (this.#underWay.size > MOST_UNDER_WAY) return;
    for (const key of this.#keys) this.#underWay.add(this.#ask(key));
  }

  async #ask({ limiter, grants }: HotKey): Promise<void> {
    try {
      grants.count(await limiter.limit());
    } catch (error) {
      grants.countError(error);
    }
  }

  idle(): Promise<void> {
    return this.#underWay.end();
  }

  faults(): string[] {
    return this.#keys.flatMap(({ grants }) => grants.faults());
  }

  figures(): Readonly<Record<string, number>> {
    const all: Record<string, number> = {};
    for (const { grants } of this.#keys) {
      for (const [name, figure] of Object.entries(grants.figures)) all[name] = (all[name] ?? 0) + figure;
    }
    return all;
  }

  async close(): Promise<void> {}
}
