import type { Cluster, Redis } from "ioredis";
import { vi } from "vitest";
import type { RedisStore } from "../../src/redis.js";

export const IOREDIS_VERSIONS = ["ioredis 6", "ioredis 5"] as const;

/** A major version of ioredis, and the store over it. */
export interface IoredisVersion {
  readonly name: (typeof IOREDIS_VERSIONS)[number];
  readonly RedisStore: typeof RedisStore;
  readonly Redis: typeof Redis;
  readonly Cluster: typeof Cluster;
}

/** The store over both versions of ioredis side by side, so that they face the very same outage. */
export async function bothVersions(): Promise<ReadonlyMap<string, IoredisVersion>> {
  const six = await import("ioredis");
  const over6 = await import("../../src/redis.js");
  // The types of the two differ in what no test asks of them.
  const five = (await import("ioredis-5")) as unknown as typeof six;
  vi.resetModules();
  vi.doMock("ioredis", () => five);
  const over5 = await import("../../src/redis.js");
  vi.doUnmock("ioredis");
  const versions: IoredisVersion[] = [
    { name: "ioredis 6", RedisStore: over6.RedisStore, Redis: six.Redis, Cluster: six.Cluster },
    { name: "ioredis 5", RedisStore: over5.RedisStore, Redis: five.Redis, Cluster: five.Cluster },
  ];
  return new Map(versions.map((version) => [version.name, version]));
}
