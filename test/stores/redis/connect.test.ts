import type { Cluster, Redis, RedisOptions } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { connect } from "../../../src/stores/redis/connect.js";
import { parseServerUrl } from "../../../src/stores/redis/server-url.js";

/** A client that has not connected yet. */
function clientOf(url: string, options: RedisOptions = {}): Redis | Cluster {
  const client = connect(parseServerUrl(url), 250, options);
  onTestFinished(() => client.disconnect());
  return client;
}

const optionsOf = (url: string, options: RedisOptions = {}) => clientOf(url, options).options as RedisOptions;

const REDIS = "redis://127.0.0.1:7000";
const SENTINEL = "redis+sentinel://127.0.0.1:7000,127.0.0.1:7001/orders";
const CLUSTER = "redis+cluster://127.0.0.1:7000,127.0.0.1:7001";

describe("a connection of the store's own", () => {
  test("never sends a command again, nor keeps one for later", () => {
    expect(optionsOf(REDIS)).toMatchObject({
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
    });
    expect((clientOf(CLUSTER) as Cluster).options).toMatchObject({
      retryDelayOnFailover: 0,
      redisOptions: {
        autoResendUnfulfilledCommands: false,
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
      },
    });
  });

  test.each([
    ["of a server", () => optionsOf(REDIS).retryStrategy],
    ["of a server behind sentinels", () => optionsOf(SENTINEL).retryStrategy],
    ["of sentinels", () => optionsOf(SENTINEL).sentinelRetryStrategy],
    ["of a cluster", () => (clientOf(CLUSTER) as Cluster).options.clusterRetryStrategy],
  ])("%s is tried again soon, a little apart from others, and 5 times a second at least", (_, strategy) => {
    const retry = strategy()!;
    for (let i = 0; i < 100; i++) {
      for (const [attempt, longest] of [
        [1, 25],
        [2, 50],
        [8, 200],
        [1_000, 200],
      ] as const) {
        const ms = retry(attempt) as number;
        expect(ms).toBeGreaterThanOrEqual(longest / 2);
        expect(ms).toBeLessThanOrEqual(longest);
      }
    }
    expect(new Set(Array.from({ length: 20 }, () => retry(8))).size).toBeGreaterThan(1);
  });

  test("is left when its server is a replica or has no data yet, and for no other error", () => {
    const { reconnectOnError } = optionsOf(REDIS);
    for (const code of ["READONLY", "MASTERDOWN", "LOADING"])
      expect(reconnectOnError!(new Error(`${code} this server is not for you`))).toBe(true);
    expect(reconnectOnError!(new Error("WRONGTYPE of a value"))).toBe(false);
  });

  test("is replaced when its socket is silent for longer than a call waits", () => {
    expect(optionsOf(REDIS).socketTimeout).toBeGreaterThan(250);
  });
});

describe("over TLS", () => {
  test.each([
    ["rediss://redis.example.com:7000", { servername: "redis.example.com" }],
    ["rediss://127.0.0.1:7000", {}],
    ["rediss+sentinel://redis.example.com:7000/orders", {}],
  ])("%s asks for the certificate of %j", (url, tls) => {
    expect(optionsOf(url).tls).toEqual(tls);
  });

  test("options of the caller's go before those of the URL", () => {
    const tls = { servername: "other.example.com", ca: "ca" };
    expect(optionsOf("rediss://redis.example.com:7000", { tls }).tls).toEqual(tls);
  });

  test("sentinels are asked over TLS as well, with their own options or those of the server", () => {
    const url = "rediss+sentinel://127.0.0.1:7000/orders";
    const [tls, sentinelTLS] = [{ ca: "ca" }, { ca: "of sentinels" }];
    expect(optionsOf(url, { tls })).toMatchObject({ enableTLSForSentinelMode: true, sentinelTLS: tls });
    expect(optionsOf(url, { tls, sentinelTLS })).toMatchObject({ sentinelTLS });
    expect(optionsOf(SENTINEL)).not.toHaveProperty("enableTLSForSentinelMode", true);
  });
});
