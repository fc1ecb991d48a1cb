import { Throttled } from "../../../src/index.js";
import type { RedisStore } from "../../../src/redis.js";
import { Grants } from "../grants.js";
import { type Part, UnderWay } from "../part.js";
import type { Random } from "../random.js";

const KEYS_AT_ONCE = 32;
const MOST_UNDER_WAY = 2;

/** Very many keys on a server, some at once. */
export class RedisChurn implements Part {
  readonly name = "Redis churn";
  readonly #limiter: Throttled<RedisStore>;
  readonly #keys: number;
  readonly #random: Random;
  readonly #underWay = new UnderWay();
  /** No key is looked at on its own here. */
  readonly #grants = new Grants(this.name, { atOnce: Number.POSITIVE_INFINITY, perSecond: 0 });

  constructor(store: RedisStore, keys: number, random: Random) {
    this.#limiter = new Throttled({ quota: "10/h", store });
    this.#keys = keys;
    this.#random = random;
  }

  step(): undefined {
    if (this.#underWay.size < MOST_UNDER_WAY) this.#underWay.add(this.#ask());
  }

  async #ask(): Promise<void> {
    const keys = Array.from(
      { length: KEYS_AT_ONCE },
      () => `user:${Math.floor(this.#random() * this.#keys)}`,
    );
    try {
      for (const result of await this.#limiter.limitMany(keys)) this.#grants.count(result);
    } catch (error) {
      this.#grants.countError(error);
    }
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
