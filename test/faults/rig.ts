import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { MemoryStore, Throttled } from "../../src/index.js";
import { type RedisClient, RedisStore, type RedisStoreOptions } from "../../src/redis.js";
import { FaultyProxy } from "../support/faulty-proxy.js";
import { ServerNode, until } from "../support/server-node.js";

export const POLICIES = ["throw", "allow", "deny", "fallback"] as const;
export type Policy = (typeof POLICIES)[number];

/** Every store call ends within this, which is the default deadline and what the issue grants on top. */
export const IN_TIME_MS = 250 + 50;
/** Units of a fresh key of every limiter here. */
export const LIMIT = 5;

/** A server, a proxy in front of it, and a limiter for each policy that goes through one of them. */
export class Rig {
  readonly node: ServerNode;
  readonly proxy: FaultyProxy;
  /** The folder of the server. */
  readonly dir: string;
  /** A client of the user's, if there is one. */
  client: Redis | undefined;
  readonly #throttles = new Map<Policy, Throttled<RedisStore>>();

  private constructor(node: ServerNode, proxy: FaultyProxy, dir: string) {
    this.node = node;
    this.proxy = proxy;
    this.dir = dir;
  }

  static async start(...options: string[]): Promise<Rig> {
    let dir = "";
    const node = await ServerNode.start((port, folder) => {
      dir = folder;
      return [
        ...["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir, "--unixsocket", `${dir}/redis.sock`],
        ...["--save", "", "--appendonly", "no", ...options],
      ];
    });
    return new Rig(node, await FaultyProxy.start(node.port), dir);
  }

  /** The address of the server itself. */
  get url(): string {
    return `redis://127.0.0.1:${this.node.port}`;
  }

  /** Makes a limiter for each policy. */
  connect(server: string | RedisClient, options: RedisStoreOptions = {}): void {
    for (const policy of POLICIES) {
      const onUnavailable = policy === "fallback" ? new MemoryStore() : policy;
      const store = new RedisStore(server, { prefix: randomUUID(), onUnavailable, ...options });
      this.#throttles.set(policy, new Throttled({ store, quota: `${LIMIT}/h` }));
    }
  }

  /** Waits until every limiter is served, which on a busy machine the first call may not be. */
  async warmUp(): Promise<void> {
    const all = POLICIES.map((policy) => this.throttle(policy));
    await until("everybody is served", 5_000, async () =>
      (await Promise.all(all.map(isServed))).every(Boolean),
    );
  }

  throttle(policy: Policy): Throttled<RedisStore> {
    return this.#throttles.get(policy)!;
  }

  /** A command on a connection of its own. */
  async command(...command: [string, ...(string | number)[]]): Promise<unknown> {
    const redis = new Redis(this.node.port, { enableReadyCheck: false, retryStrategy: () => null });
    redis.on("error", () => {});
    try {
      return await redis.call(...command);
    } finally {
      redis.disconnect();
    }
  }

  /** Kills the server, and waits until its address is free. */
  async kill(): Promise<void> {
    this.node.kill();
    const gone = (): Promise<boolean> =>
      this.command("PING").then(
        () => false,
        () => true,
      );
    await until("the server is gone", 2_000, gone);
  }

  /** Drops the connections of everybody but the administrator. */
  async dropClients(): Promise<void> {
    await this.node.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#throttles.values()].map(({ store }) => store.close()));
    this.client?.disconnect();
    await this.proxy.stop();
    await this.node.stop();
  }
}

/** Whether the store itself answers. */
export async function isServed(throttle: Throttled<RedisStore>): Promise<boolean> {
  const answer = await throttle.limit("is served", 0).catch(() => undefined);
  return answer?.source === "store";
}
