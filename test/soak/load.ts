import { Redis } from "ioredis";
import { MemoryStore } from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";
import { ServerNode, serverArgs, until } from "../support/server-node.js";
import type { Part } from "./part.js";
import { HotKeys } from "./parts/hot-keys.js";
import { MemoryChurn } from "./parts/memory-churn.js";
import { Outages } from "./parts/outages.js";
import { RedisChurn } from "./parts/redis-churn.js";
import { Semaphores } from "./parts/semaphores.js";
import { ShortLivedStores } from "./parts/short-lived-stores.js";
import { Waiters } from "./parts/waiters.js";
import { randomFrom } from "./random.js";

export interface LoadOptions {
  readonly keys: number;
  readonly seed: number;
  /** How long the server is left in peace, in milliseconds. */
  readonly outageEveryMs: number;
}

/** All that this library does, in memory and over a server of its own, which goes through outages. */
export interface Load extends AsyncDisposable {
  readonly parts: readonly Part[];
}

/** Starts the server, and fills the store in memory. */
export async function startLoad({ keys, seed, outageEveryMs }: LoadOptions): Promise<Load> {
  const random = randomFrom(seed);
  const server = await ServerNode.start(serverArgs);
  const url = `redis://127.0.0.1:${server.port}`;
  const client = new Redis(url, { retryStrategy: () => 50, commandTimeout: 200 });
  client.on("error", () => {});
  const outages = new Outages(server, outageEveryMs, random);
  const fallback = new MemoryStore();
  const stores = {
    plain: new RedisStore(url),
    cautious: new RedisStore(url, { prefix: "cautious", denyCache: "200ms", onUnavailable: fallback }),
    ofClient: new RedisStore(client, { prefix: "client" }),
  };
  const memory = new MemoryStore();
  const churn = new MemoryChurn(keys, random);
  const { timesForgotten, forgottenAt } = outages;
  const parts: Part[] = [
    churn,
    new RedisChurn(stores.plain, keys, random),
    new HotKeys("hot keys in memory", memory),
    new HotKeys("hot keys on Redis", stores.cautious, timesForgotten),
    new HotKeys("hot keys over a client", stores.ofClient, timesForgotten),
    new Waiters("waiters in memory", memory, random),
    new Waiters("waiters on Redis", stores.plain, random, timesForgotten),
    new Semaphores("semaphore in memory", memory, random),
    new Semaphores("semaphore on Redis", stores.plain, random, forgottenAt),
    new ShortLivedStores(url, client),
    new Connections(stores, client),
    outages,
  ];
  while (!churn.isSettled) {
    churn.step();
    await new Promise(setImmediate);
  }
  return {
    parts,
    async [Symbol.asyncDispose]() {
      for (const part of parts) await part.close();
      await memory.close();
    },
  };
}

/** Stores that are to be connected again when an outage is over, and the client that one of them was given. */
class Connections implements Part {
  readonly name = "connections";
  readonly #stores: Readonly<Record<string, RedisStore>>;
  readonly #client: Redis;

  constructor(stores: Readonly<Record<string, RedisStore>>, client: Redis) {
    this.#stores = stores;
    this.#client = client;
  }

  step(): undefined {}

  async idle(): Promise<void> {
    for (const [name, store] of Object.entries(this.#stores)) {
      await until(`${name} is connected`, 20_000, async () => (await store.status()).connected);
    }
  }

  faults(): string[] {
    return [];
  }

  figures(): Readonly<Record<string, number>> {
    return {};
  }

  async close(): Promise<void> {
    for (const store of Object.values(this.#stores)) await store.close();
    this.#client.disconnect();
  }
}
