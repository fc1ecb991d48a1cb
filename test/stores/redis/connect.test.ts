import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import type { Cluster, Redis, RedisOptions } from "ioredis";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { connect, whyUnreachable } from "../../../src/stores/redis/connect.js";
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

describe("a server that has been silent for too long", () => {
  function silent() {
    const client = clientOf(REDIS);
    const destroy = vi.fn();
    const stream = { bytesRead: 7, destroy };
    Object.assign(client, { stream });
    client.emit("connect");
    return {
      stream,
      destroy,
      late: new Error("Socket timeout. Expecting data, but didn't receive any in 250ms."),
    };
  }

  test("is left after one more turn of the event loop in which it said nothing", async () => {
    const { stream, destroy, late } = silent();
    expect((stream.destroy as (error: Error) => unknown)(late)).toBe(stream);
    expect(destroy).not.toHaveBeenCalled();
    await turn();
    expect(destroy.mock.calls).toEqual([[late]]);
  });

  test("is kept if it said something in that turn", async () => {
    const { stream, destroy, late } = silent();
    stream.destroy(late);
    stream.bytesRead++;
    await turn();
    expect(destroy).not.toHaveBeenCalled();
  });

  test.each([[undefined], [new Error("read ECONNRESET")]])("is left at once for %s", (error) => {
    const { stream, destroy } = silent();
    stream.destroy(error);
    expect(destroy.mock.calls).toEqual([[error]]);
  });
});

describe("why a server can't be reached", () => {
  async function listening(): Promise<{ port: number; connections: () => number; close: () => void }> {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.on("error", () => {});
      // Whoever speaks TLS gets an answer that is none.
      socket.once("data", () => socket.end("-ERR no\r\n"));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    return { port, connections: () => connections, close: () => server.close() };
  }

  test("is nothing where it can be, and nothing where no address is known", async () => {
    const { port, connections } = await listening();
    expect(await whyUnreachable(parseServerUrl(`redis://127.0.0.1:${port}`), {})).toBeUndefined();
    await vi.waitFor(() => expect(connections()).toBe(1));
    expect(await whyUnreachable(parseServerUrl("unix:///run/none.sock"), {})).toBeUndefined();
  });

  test("is what the system says where nobody listens", async () => {
    const { port, close } = await listening();
    close();
    const why = await whyUnreachable(parseServerUrl(`redis://127.0.0.1:${port}`), {});
    expect(why).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  test("is what TLS says where the server does not speak it", async () => {
    const { port } = await listening();
    const why = await whyUnreachable(parseServerUrl(`rediss://127.0.0.1:${port}`), {});
    expect(why).toMatch(/wrong version number|packet length/i);
  });
});
