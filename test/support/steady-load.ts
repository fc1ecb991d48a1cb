import { randomUUID } from "node:crypto";
import { isStoreError, type Store, Throttled } from "../../src/index.js";
import type { RedisStore } from "../../src/redis.js";
import type { IoredisVersion } from "./ioredis-versions.js";
import { until } from "./server-node.js";
import { PREFIX } from "./topologies.js";

/** What every store call keeps to, as long as nobody sets another. */
export const DEADLINE_MS = 250;
/** How often a call is made, going round the keys. */
const EVERY_MS = 5;
/** Calls in a row that must succeed until an outage counts as over. */
const ENOUGH = 60;

/** One call and what became of it. */
export interface Call {
  readonly key: string;
  /** When it began, by `performance.now()`. */
  readonly at: number;
  /** How long it took; beyond the deadline only the time for which this process got to run. */
  readonly ms: number;
  readonly outcome: "allowed" | "limited" | "failed";
  readonly error?: Error;
}

/** Calls at a steady pace on one store, to be looked at afterwards. */
export class SteadyLoad {
  readonly calls: Call[] = [];
  readonly name: string;
  readonly store: Store;
  readonly #throttle: Throttled<Store>;
  readonly #keys: readonly string[];
  readonly #pending = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #next = 0;

  /** Every key may spend `limit` units, with no refill to speak of. */
  constructor(name: string, store: Store, keys: number, limit: number) {
    this.name = name;
    this.store = store;
    this.#keys = Array.from({ length: keys }, (_, i) => `key ${i}`);
    this.#throttle = new Throttled({ store, using: "gcra", quota: { limit, period: "52w" } });
    this.#timer = setInterval(() => this.#begin(), EVERY_MS);
  }

  /** The calls that failed, of those that began from `at` on. */
  failedSince(at: number): readonly Call[] {
    return this.calls.filter((call) => call.at >= at && call.outcome === "failed");
  }

  /** Milliseconds from `at` until no call failed any more; 0 if none did. */
  gapSince(at: number): number {
    return Math.round(Math.max(0, ...this.failedSince(at).map((call) => call.at + call.ms - at)));
  }

  /** What the slowest call took. */
  get slowestMs(): number {
    return Math.max(...this.calls.map(({ ms }) => ms));
  }

  /** Waits until calls that begin after `at` succeed, many in a row. */
  async succeeds(at: number, withinMs: number): Promise<void> {
    await until(`calls over ${this.name} succeed`, withinMs, () => {
      const last = this.calls.slice(-ENOUGH);
      return last.length === ENOUGH && last.every((call) => call.at >= at && call.outcome !== "failed");
    });
  }

  /** Waits until every call has failed for `ms`. */
  async failsFor(ms: number): Promise<void> {
    await until(`calls over ${this.name} fail`, ms + 3_000, () => {
      const start = performance.now() - ms;
      const last = this.calls.filter(({ at }) => at >= start);
      return last.length >= ENOUGH && last.every(({ outcome }) => outcome === "failed");
    });
  }

  /** Makes no more calls, and waits for those under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
  }

  /** Spends what is left of every key, and says how many units the unluckiest and the luckiest were granted in all. */
  async exhaust(): Promise<[least: number, most: number]> {
    const granted = this.#keys.map(async (key) => {
      const before = this.calls.filter((call) => call.key === key && call.outcome === "allowed").length;
      const { remaining } = await this.#throttle.peek(key);
      const { limited } = await this.#throttle.limit(key, remaining);
      if (limited) throw new Error("A key has less left than it says");
      return before + remaining;
    });
    const units = await Promise.all(granted);
    return [Math.min(...units), Math.max(...units)];
  }

  #begin(): void {
    const key = this.#keys[this.#next++ % this.#keys.length]!;
    const call = this.#call(key).finally(() => this.#pending.delete(call));
    this.#pending.add(call);
  }

  async #call(key: string): Promise<void> {
    const at = performance.now();
    // When this process got to see that the deadline had passed, on a machine that has other things to do.
    let due = Number.POSITIVE_INFINITY;
    const see = (): void => {
      due = performance.now();
    };
    const timer = setTimeout(() => setImmediate(see), DEADLINE_MS);
    const answer = await this.#throttle.limit(key).catch((error: unknown) => error);
    const now = performance.now();
    clearTimeout(timer);
    const ms = now < due ? now - at : DEADLINE_MS + now - due;
    if (isStoreError(answer)) this.calls.push({ key, at, ms, outcome: "failed", error: answer });
    else if (answer instanceof Error) throw answer;
    else {
      const { limited } = answer as { limited: boolean };
      this.calls.push({ key, at, ms, outcome: limited ? "limited" : "allowed" });
    }
  }
}

/** A store over each version of ioredis, under a prefix of its own. */
export function storesOver(
  versions: ReadonlyMap<string, IoredisVersion>,
  { url, redisOptions }: { readonly url: string; readonly redisOptions: object },
): Map<string, RedisStore> {
  const stores = [...versions.values()].map(
    ({ name, RedisStore }) =>
      [name, new RedisStore(url, { redisOptions, prefix: `${PREFIX}:${randomUUID()}` })] as const,
  );
  return new Map(stores);
}

/** A steady load on each store, which is closed when `act` is done. */
export async function underLoad(
  stores: ReadonlyMap<string, RedisStore>,
  { keys, limit }: { readonly keys: number; readonly limit: number },
  act: (loads: readonly SteadyLoad[]) => Promise<void>,
): Promise<void> {
  const loads = [...stores].map(([name, store]) => new SteadyLoad(name, store, keys, limit));
  try {
    await act(loads);
  } finally {
    await Promise.all(loads.map((load) => load.stop()));
    await Promise.all([...stores.values()].map((store) => store.close()));
  }
}
