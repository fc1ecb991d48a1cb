import type { Redis } from "ioredis";
import { isStoreError } from "../../../src/errors.js";
import { Semaphore, Throttled } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { type Part, UnderWay } from "../part.js";

const EVERY_MS = 200;

/** Stores that come and go, by turns over a connection of their own and over a client that stays. */
export class ShortLivedStores implements Part {
  readonly name = "short-lived stores";
  readonly #url: string;
  readonly #client: Redis;
  readonly #underWay = new UnderWay();
  readonly #figures = { stores: 0, "store errors": 0 };
  #next = performance.now();

  constructor(url: string, client: Redis) {
    this.#url = url;
    this.#client = client;
  }

  readonly watched = () => [this.#client, this.#client.stream];

  step(): undefined {
    if (performance.now() < this.#next || this.#underWay.size > 0) return;
    this.#next = performance.now() + EVERY_MS;
    this.#underWay.add(this.#use());
  }

  async #use(): Promise<void> {
    const store = new RedisStore(this.#figures.stores++ % 2 === 0 ? this.#url : this.#client);
    try {
      await new Throttled({ quota: "10/s", store }).limit("short-lived", { timeout: "50ms" });
      await new Semaphore({ capacity: 1, store }).run("short-lived", async () => {}, { timeout: "50ms" });
    } catch (error) {
      if (!isStoreError(error) && (error as Error).name !== "LimitedError") throw error;
      this.#figures["store errors"]++;
    } finally {
      await store.close();
    }
  }

  idle(): Promise<void> {
    return this.#underWay.end();
  }

  faults(): string[] {
    return [];
  }

  figures(): Readonly<Record<string, number>> {
    return this.#figures;
  }

  async close(): Promise<void> {}
}
