import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isStoreError, Throttled } from "../../src/index.js";
import type { RedisStore, RedisStoreOptions } from "../../src/redis.js";
import { bothVersions, type IoredisVersion } from "../support/ioredis-versions.js";
import { Recorder } from "../support/tls.js";
import { type Deployment, PREFIX, startDeployments } from "../support/topologies.js";

const ENCRYPTED = ["TLS", "Sentinel with TLS and passwords", "Cluster with TLS and a password"] as const;

let all: Awaited<ReturnType<typeof startDeployments>>;
let versions: ReadonlyMap<string, IoredisVersion>;

beforeAll(async () => {
  [all, versions] = await Promise.all([startDeployments(ENCRYPTED), bothVersions()]);
}, 30_000);
afterAll(() => all?.stop());

/** Does the same over both versions of ioredis at once. */
async function withStores(
  url: string,
  options: RedisStoreOptions,
  act: (store: RedisStore) => Promise<void>,
): Promise<void> {
  const each = [...versions.values()].map(async ({ RedisStore }) => {
    await using store = new RedisStore(url, { prefix: PREFIX, ...options });
    await act(store);
  });
  await Promise.all(each);
}

async function failsToAnswer(store: RedisStore): Promise<string> {
  const error = await new Throttled({ store }).limit("key").catch((reason: unknown) => reason);
  expect(isStoreError(error)).toBe(true);
  return (error as Error).message;
}

/** A recorder in front of each node, and the deployment as seen through them. */
async function recorded({ url, redisOptions, ports }: Deployment) {
  const pairs = await Promise.all(ports.map(async (port) => [port, await Recorder.start(port)] as const));
  const recorders = new Map(pairs);
  const to = (port: number) => ({ host: "127.0.0.1", port: recorders.get(port)!.port });
  return {
    recorders: [...recorders.values()],
    url: url.replace(/127\.0\.0\.1:(\d+)/g, (_, port) => `127.0.0.1:${to(Number(port)).port}`),
    redisOptions: {
      ...redisOptions,
      natMap: Object.fromEntries(ports.map((port) => [`127.0.0.1:${port}`, to(port)])),
    },
  };
}

describe.each(ENCRYPTED)("on %s", (name) => {
  test("no byte of a password, of AUTH or of a key travels in the clear to any node", async () => {
    const { recorders, url, redisOptions } = await recorded(all.deployments.get(name)!);
    await withStores(url, { redisOptions, deadline: "5s" }, async (store) => {
      const throttle = new Throttled({ store, quota: "1000/s" });
      for (let i = 0; i < 30; i++) await throttle.limit(`key ${i}`);
    });
    const used = recorders.filter(({ spoken }) => spoken.length > 0);
    expect(used.length).toBeGreaterThanOrEqual({ [name]: 2, TLS: 1 }[name]!);
    for (const recorder of used) {
      expect(recorder.isEncrypted).toBe(true);
      expect(recorder.text).not.toMatch(/auth|hello|evalsha/i);
      expect(recorder.text).not.toContain(PREFIX);
    }
    await Promise.all(recorders.map((recorder) => recorder.stop()));
  });

  test("every node must prove the name by which it was called", async () => {
    const { url, redisOptions, ports } = all.deployments.get(name)!;
    const hosts = new Set<string>();
    const checkServerIdentity = (host: string): undefined => {
      hosts.add(host);
    };
    const tls = { ca: all.certificates.ca, checkServerIdentity };
    const natMap = Object.fromEntries(
      ports.map((port) => [`127.0.0.1:${port}`, { host: "localhost", port }]),
    );
    const options = { redisOptions: { ...redisOptions, tls, natMap }, deadline: "5s" } as const;
    await withStores(url.replaceAll("127.0.0.1", "localhost"), options, async (store) => {
      expect(await new Throttled({ store }).limit("key")).toMatchObject({ source: "store" });
    });
    expect([...hosts]).toEqual(["localhost"]);
  });

  test("a store that is closed in the middle of a handshake ends in peace", async () => {
    const uncaught: unknown[] = [];
    const listen = (error: unknown): unknown => uncaught.push(error);
    process.on("uncaughtException", listen);
    const { url, redisOptions } = all.deployments.get(name)!;
    for (let deadline = 1; deadline <= 20; deadline++) {
      await withStores(url, { redisOptions: { ...redisOptions, tls: {} }, deadline }, async (store) => {
        await failsToAnswer(store);
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off("uncaughtException", listen);
    expect(uncaught).toEqual([]);
  });

  test("a certificate that is not trusted is an error that says so", async () => {
    const { url, redisOptions } = all.deployments.get(name)!;
    await withStores(url, { redisOptions: { ...redisOptions, tls: {} } }, async (store) => {
      expect(await failsToAnswer(store)).toMatch(/self-signed certificate/);
    });
  });

  test("a certificate for another host is an error that says so", async () => {
    const { url, redisOptions } = all.deployments.get(name)!;
    const tls = { ca: all.certificates.ca, servername: "elsewhere.example" };
    await withStores(url, { redisOptions: { ...redisOptions, tls } }, async (store) => {
      expect(await failsToAnswer(store)).toMatch(/does not match certificate/);
    });
  });
});

test("a server is told the name by which it was called, as several may share an address", async () => {
  const { recorders, url, redisOptions } = await recorded(all.deployments.get("TLS")!);
  await withStores(url.replace("127.0.0.1", "localhost"), { redisOptions, deadline: "5s" }, async (store) => {
    expect(await new Throttled({ store }).limit("key")).toMatchObject({ limited: false });
  });
  expect(recorders[0]!.text).toContain("localhost");
  await Promise.all(recorders.map((recorder) => recorder.stop()));
});
