import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Semaphore } from "../../src/index.js";
import type { RedisStore } from "../../src/redis.js";
import { bothVersions, IOREDIS_VERSIONS, type IoredisVersion } from "../support/ioredis-versions.js";
import { until } from "../support/server-node.js";
import { watchProcess } from "./observe.js";
import { Rig } from "./rig.js";

/** Within this somebody who was not told asks again, with something to spare for a busy machine. */
const ASKS_AGAIN_MS = 1_200;

let versions: ReadonlyMap<string, IoredisVersion>;
let rig: Rig;
let watch: ReturnType<typeof watchProcess>;
let prefix: string;
const stores: RedisStore[] = [];

beforeAll(async () => {
  versions = await bothVersions();
}, 30_000);
beforeEach(async () => {
  watch = watchProcess();
  rig = await Rig.start("--user", "deaf", "on", ">pw", "~*", "+@all", "resetchannels");
  prefix = randomUUID();
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await rig.stop();
  watch.stop();
  expect(watch.problems).toEqual([]);
});

function semaphoreOver(version: string, url: string): Semaphore<RedisStore> {
  const store = new (versions.get(version)!.RedisStore)(url, { prefix });
  stores.push(store);
  return new Semaphore({ capacity: 1, key: "key", store, timeout: "1m" });
}

/** Two semaphores whose stores answer. */
async function pair(version: string, url = rig.url): Promise<[Semaphore<RedisStore>, Semaphore<RedisStore>]> {
  const two: [Semaphore<RedisStore>, Semaphore<RedisStore>] = [
    semaphoreOver(version, url),
    semaphoreOver(version, url),
  ];
  await Promise.all(two.map(answers));
  return two;
}

function answers(semaphore: Semaphore<RedisStore>): Promise<void> {
  return until("the store answers", 5_000, () =>
    semaphore.peek().then(
      () => true,
      () => false,
    ),
  );
}

async function subscriptions(): Promise<number> {
  const channels = (await rig.node.call("PUBSUB", "CHANNELS", `${prefix}:*`)) as string[];
  return channels.length;
}

describe.each(IOREDIS_VERSIONS)("Over %s", (version) => {
  test("somebody whose subscription is lost at the very moment is let in all the same, and hears again", async () => {
    const [one, other] = await pair(version);
    const held = await one.acquire();
    const waits = other.acquire();
    await until("it listens", 2_000, async () => (await subscriptions()) === 1);
    for (let i = 0; i < 3; i++) await rig.node.call("CLIENT", "KILL", "TYPE", "pubsub");
    await held.release();
    const released = performance.now();
    const next = await waits;
    expect(performance.now() - released).toBeLessThan(ASKS_AGAIN_MS);
    await until("it listens again", 2_000, async () => (await subscriptions()) === 1);
    await next.release();
  });

  test("subscriptions that are lost all the time hold nobody up for long", async () => {
    const [one, other] = await pair(version);
    let killing = true;
    const killer = (async () => {
      while (killing) await rig.node.call("CLIENT", "KILL", "TYPE", "pubsub");
    })();
    let [held, from, to] = [await one.acquire(), one, other];
    for (let turn = 0; turn < 4; turn++) {
      const waits = to.acquire();
      await until("it waits", 2_000, async () => (await from.peek()).waiting === 1);
      const released = performance.now();
      await held.release();
      const next = await waits;
      expect(performance.now() - released).toBeLessThan(ASKS_AGAIN_MS);
      [held, from, to] = [next, to, from];
    }
    killing = false;
    await killer;
    await held.release();
  });

  test("a user who may use no channel is let in by asking again", async () => {
    const [one, other] = await pair(version, `redis://deaf:pw@127.0.0.1:${rig.node.port}`);
    let [held, from, to] = [await one.acquire(), one, other];
    for (let turn = 0; turn < 4; turn++) {
      const waits = to.acquire();
      await until("it waits", 2_000, async () => (await from.peek()).waiting === 1);
      const released = performance.now();
      await held.release();
      const next = await waits;
      expect(performance.now() - released).toBeLessThan(ASKS_AGAIN_MS);
      [held, from, to] = [next, to, from];
    }
    await held.release();
    expect(await subscriptions()).toBe(0);
  });

  test("scripts that are flushed all the time keep nobody from their turn, and leave nothing held by nobody", async () => {
    const [one, other] = await pair(version);
    let flushing = true;
    const flusher = (async () => {
      while (flushing) await rig.node.call("SCRIPT", "FLUSH");
    })();
    const enough = new Error("enough");
    const calls = Array.from({ length: 200 }, async (_, i) => {
      const leave = new AbortController();
      const call = (i % 2 === 0 ? one : other).run(undefined, () => {}, { signal: leave.signal });
      if (i % 3 === 0) setTimeout(() => leave.abort(enough), i % 40);
      return call.catch((error: unknown) => {
        if (error !== enough) throw error;
      });
    });
    await Promise.all(calls);
    await until("all is free", 1_000, async () => (await one.peek()).inUse === 0);
    flushing = false;
    await flusher;
    expect(await one.peek()).toEqual({ capacity: 1, inUse: 0, waiting: 0 });
  });

  test("whoever gave up holds nothing, also if the server hears of that before it hears of the call", async () => {
    const [one, other] = [semaphoreOver(version, rig.proxy.url), semaphoreOver(version, rig.url)];
    await Promise.all([answers(one), answers(other)]);
    await rig.node.call("SCRIPT", "FLUSH");
    const asked = rig.proxy.count("evalsha");
    rig.proxy.delayMs = 100;
    const leave = new AbortController();
    const call = one.acquire(undefined, { signal: leave.signal });
    await until("the server was asked", 1_000, () => rig.proxy.count("evalsha") > asked);
    // Before the first learns that the server does not know the script, another makes it known.
    expect(await other.peek()).toMatchObject({ inUse: 0 });
    const evals = rig.proxy.count("eval");
    const enough = new Error("enough");
    leave.abort(enough);
    await expect(call).rejects.toBe(enough);
    await until("the call comes after its release", 1_000, () => rig.proxy.count("eval") > evals);
    await until("it is carried out", 1_000, async () => (await other.peek()).inUse === 1);
    rig.proxy.delayMs = 0;
    await until("nothing is held", 1_000, async () => (await other.peek()).inUse === 0);
  });
});
