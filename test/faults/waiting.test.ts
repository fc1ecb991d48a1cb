import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { getEventListeners, once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Throttled } from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";
import { until } from "../support/server-node.js";
import { observe, sleep, watchProcess } from "./observe.js";
import { IN_TIME_MS, isServed, Rig } from "./rig.js";

const MINUTE_MS = 60_000;
const ENOUGH = new Error("enough");
const WORKER = fileURLToPath(new URL("./workers/waiter.mjs", import.meta.url));

let rig: Rig;
let watch: ReturnType<typeof watchProcess>;
const stores: RedisStore[] = [];

beforeEach(async () => {
  watch = watchProcess();
  rig = await Rig.start();
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await rig.stop();
  watch.stop();
  expect(watch.problems).toEqual([]);
});

/** A key that is used up, and has a place every so often. */
async function queue(quota: string, prefix: string = randomUUID()): Promise<Throttled<RedisStore>> {
  const store = new RedisStore(rig.proxy.url, { prefix });
  stores.push(store);
  const throttle = new Throttled({ store, key: "key", quota });
  await until("the store answers", 5_000, () => isServed(throttle));
  await throttle.limit();
  return throttle;
}

/** How many places are taken on a key that has one each minute. */
async function places(throttle: Throttled<RedisStore>): Promise<number> {
  return Math.ceil((await throttle.peek()).retryAfterMs / MINUTE_MS) - 1;
}

describe("An abort", () => {
  test.each([
    ["spends", "5/h", (t: Throttled<RedisStore>) => t.peek().then(({ remaining }) => 4 - remaining)],
    ["books a place", "1/m burst 1", places],
  ])(
    "while the store is asked comes at once, and what the call %s comes back",
    async (_what, quota, taken) => {
      const throttle = await queue(quota);
      rig.proxy.delayMs = 150;
      const abort = new AbortController();
      const call = observe(() => throttle.limit("key", { timeout: "1h", signal: abort.signal }));
      await until("the store was asked", 1_000, async () => rig.proxy.count("evalsha") > 1);
      abort.abort(ENOUGH);
      expect(await call).toMatchObject({ error: ENOUGH });
      rig.proxy.delayMs = 0;
      await until("all of it is back", 1_000, async () => (await taken(throttle)) === 0);
    },
  );

  test("of a wait gives the place back", async () => {
    const throttle = await queue("1/m burst 1");
    const abort = new AbortController();
    const call = observe(() => throttle.limit("key", { timeout: "1h", signal: abort.signal }));
    await until("a place is booked", 1_000, async () => (await places(throttle)) === 1);
    abort.abort(ENOUGH);
    expect((await call).error).toBe(ENOUGH);
    await until("the place is back", 1_000, async () => (await places(throttle)) === 0);
  });

  test("of a wait during an outage comes at once, and leaves at most its own place", async () => {
    const throttle = await queue("1/m burst 1");
    const abort = new AbortController();
    const call = observe(() => throttle.limit("key", { timeout: "1h", signal: abort.signal }));
    await until("a place is booked", 1_000, async () => (await places(throttle)) === 1);
    rig.proxy.hangsUp = true;
    rig.proxy.reset();
    const start = performance.now();
    abort.abort(ENOUGH);
    expect((await call).error).toBe(ENOUGH);
    expect(performance.now() - start).toBeLessThan(50);
    await sleep(IN_TIME_MS);
    rig.proxy.hangsUp = false;
    await until("the store answers", 1_000, () => isServed(throttle));
    expect(await places(throttle)).toBe(1);
  });

  test("of a call whose answer gets lost leaves at most its own charge", async () => {
    const throttle = await queue("5/h");
    rig.proxy.answersToLose = 1;
    const abort = new AbortController();
    const call = observe(() => throttle.limit("key", { signal: abort.signal }));
    abort.abort(ENOUGH);
    expect((await call).error).toBe(ENOUGH);
    await sleep(IN_TIME_MS);
    await until("the store answers", 1_000, () => isServed(throttle));
    expect((await throttle.peek()).remaining).toBeGreaterThanOrEqual(3);
  });

  test("signal is let go of, however its calls end", async () => {
    const throttle = await queue("2/h");
    const abort = new AbortController();
    const { signal } = abort;
    await throttle.limit("key", { signal });
    await throttle.limit("key", { signal });
    rig.node.hang();
    await Promise.allSettled(Array.from({ length: 50 }, () => throttle.limit("key", { signal })));
    expect(getEventListeners(signal, "abort")).toEqual([]);
    rig.node.resume();
  });
});

describe("Those who wait", () => {
  test("go at their moments although the server is gone meanwhile", async () => {
    const throttle = await queue("5/s burst 1");
    const start = performance.now();
    const calls = [1, 2, 3].map(() => observe(() => throttle.limit("key", { timeout: "1h" })));
    await until("all are booked", 1_000, async () => (await throttle.peek()).retryAfterMs > 600);
    rig.node.kill();
    for (const [i, call] of calls.entries()) {
      expect(await call).toMatchObject({ result: { limited: false, source: "store" } });
      expect(performance.now() - start).toBeGreaterThan(200 * i);
    }
    expect(performance.now() - start).toBeLessThan(600 + IN_TIME_MS);
  });

  test("and whose booking was lost on the way back took one place at most", async () => {
    const throttle = await queue("1/m burst 1");
    rig.proxy.answersToLose = 1;
    await expect(throttle.limit("key", { timeout: "1h" })).rejects.toThrow(
      "The redis store failed to decide",
    );
    await until("the store answers", 1_000, () => isServed(throttle));
    expect(await places(throttle)).toBe(1);
  });

  test("and whose process is killed leave their own places behind, and nobody else's", async () => {
    const prefix = randomUUID();
    const throttle = await queue("5/s burst 1", prefix);
    const start = performance.now();
    const first = observe(() => throttle.limit("key", { timeout: "1h" }));
    const child = fork(WORKER, [rig.url, prefix, "5/s burst 1", "3"], { silent: true });
    await once(child, "message");
    child.kill("SIGKILL");
    await once(child, "exit");
    const asked = performance.now();
    const { retryAfterMs } = await throttle.peek();
    // One of this process, three of the other, and the one that is asked for.
    expect(retryAfterMs).toBeLessThanOrEqual(200 * 5);
    const last = await observe(() => throttle.limit("key", { timeout: "1h" }));
    expect(last.result).toMatchObject({ limited: false, source: "store" });
    expect(performance.now() - asked).toBeGreaterThanOrEqual(retryAfterMs - 1);
    expect(performance.now() - asked).toBeLessThan(retryAfterMs + IN_TIME_MS);
    expect((await first).result).toMatchObject({ limited: false, source: "store" });
    expect((await first).ms).toBeLessThan(asked - start + IN_TIME_MS);
  });
});
