import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isStoreError, LimitedError, MemoryStore, Semaphore, type Store } from "../../src/index.js";
import { type OnUnavailable, RedisStore, type RedisStoreOptions } from "../../src/redis.js";
import { ManualClock } from "../../src/testing.js";
import { FaultyProxy } from "../support/faulty-proxy.js";
import { RecordingClient } from "../support/recording-client.js";
import { RemoteStore } from "../support/remote-store.js";
import { ServerNode, serverArgs, until } from "../support/server-node.js";

let node: ServerNode;
let proxy: FaultyProxy;
let prefix = "";
const stores: RedisStore[] = [];

beforeAll(async () => {
  node = await ServerNode.start(serverArgs);
  proxy = await FaultyProxy.start(node.port);
});
beforeEach(() => {
  prefix = randomUUID();
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await proxy.stop();
  await node.stop();
});

const DEADLINE_MS = 250;

/** A client that can be told to lose a command on its way. */
class ForgetfulClient extends RecordingClient {
  readonly #client: Redis;
  #forgot: (() => void) | undefined;

  constructor(client: Redis) {
    super(client);
    this.#client = client;
  }

  /** Resolves once the next command is lost. */
  forgetNext(): Promise<void> {
    return new Promise((resolve) => {
      this.#forgot = resolve;
    });
  }

  dbsize(): Promise<unknown> {
    return this.#client.dbsize();
  }

  override evalsha(sha: string, keys: number, ...rest: string[]): Promise<unknown> {
    if (this.#forgot === undefined) return super.evalsha(sha, keys, ...rest);
    this.#forgot();
    this.#forgot = undefined;
    return new Promise(() => {});
  }
}

/** A client that can be told to have a command overtaken by what follows it, and to lose the answer when it is sent again. */
class OvertakenClient extends RecordingClient {
  #overtake: (() => void) | undefined;
  #given = (): void => {};
  #answered = (): void => {};

  /** Calls `act` once the server has refused the next command; resolves once it was carried out, after what `act` led to. */
  overtakeNext(act: () => void): Promise<void> {
    this.#overtake = act;
    return new Promise((resolve) => {
      this.#given = resolve;
    });
  }

  override async evalsha(sha: string, keys: number, ...rest: string[]): Promise<unknown> {
    const act = this.#overtake;
    this.#overtake = undefined;
    try {
      return await super.evalsha(sha, keys, ...rest);
    } catch (error) {
      if (act !== undefined) {
        const answered = new Promise<void>((resolve) => {
          this.#answered = resolve;
        });
        act();
        await answered;
      }
      throw error;
    }
  }

  override async eval(script: string, keys: number, ...rest: string[]): Promise<unknown> {
    const answer = await super.eval(script, keys, ...rest);
    if (rest.some((word) => word.startsWith("release "))) {
      this.#answered();
      return answer;
    }
    this.#given();
    return new Promise(() => {});
  }
}

function on(url: string, capacity: number, options: RedisStoreOptions) {
  const store = new RedisStore(url, { prefix, ...options });
  stores.push(store);
  return new Semaphore({ capacity, timeout: "20s", store });
}

/** A semaphore whose way to the server leads through the proxy, and one that is always served. */
async function setUp(onUnavailable: OnUnavailable = "throw", capacity = 5, options: RedisStoreOptions = {}) {
  const semaphore = on(proxy.url, capacity, { onUnavailable, ...options });
  const served = on(`redis://127.0.0.1:${node.port}`, capacity, { deadline: "5s" });
  await until("the server answers", 5_000, () =>
    semaphore.acquire("warm up", { timeout: 0 }).then(
      async (lease) => {
        await lease.release();
        return lease.token > 0;
      },
      () => false,
    ),
  );
  return { semaphore, served };
}

/** Cuts the server off while `act` runs. */
async function cutOff(act: () => Promise<void>): Promise<void> {
  proxy.hangsUp = true;
  proxy.reset();
  try {
    await act();
  } finally {
    proxy.hangsUp = false;
  }
}

/** Lets answers arrive only after the deadline while `act` runs. */
async function tooLate(act: () => Promise<void>): Promise<void> {
  proxy.delayMs = DEADLINE_MS + 150;
  try {
    await act();
  } finally {
    proxy.delayMs = 0;
  }
}

async function inUse(semaphore: Semaphore<RedisStore>): Promise<number> {
  return (await semaphore.peek("key")).inUse;
}

describe('While the server is unavailable, "throw"', () => {
  test("fails every call with a StoreError, those that may wait too, and within the deadline", async () => {
    const { semaphore } = await setUp();
    await cutOff(async () => {
      const before = performance.now();
      for (const call of [
        semaphore.acquire("key", { timeout: 0 }),
        semaphore.acquire("key"),
        semaphore.run("key", () => expect.unreachable()),
        semaphore.peek("key"),
        semaphore.limit({ key: "key" })(async () => expect.unreachable())(),
      ]) {
        const error = await call.catch((thrown: unknown) => thrown);
        expect(isStoreError(error)).toBe(true);
        expect(error).toMatchObject({ store: "redis", operation: "arrange" });
      }
      expect(performance.now() - before).toBeLessThan(5 * DEADLINE_MS);
    });
  });

  test("lets those who wait go on waiting, who are let in when it is back", async () => {
    const { semaphore, served } = await setUp("throw", 1);
    const held = await served.acquire("key");
    const waiting = semaphore.acquire("key");
    await until("it waits", 5_000, async () => (await served.peek("key")).waiting === 1);
    await cutOff(async () => {
      await held.release();
      await until("it is cut off", 5_000, () =>
        semaphore.peek("key").then(
          () => false,
          () => true,
        ),
      );
    });
    await (await waiting).release();
  });

  test("keeps what is held, and renews it when the server is back", async () => {
    const { semaphore, served } = await setUp();
    const lease = await semaphore.acquire("key");
    await cutOff(async () => {
      await expect(lease.renew()).rejects.toSatisfy(isStoreError);
    });
    expect([lease.signal.aborted, await inUse(served)]).toEqual([false, 1]);
    await until("it is renewed", 5_000, () =>
      lease.renew().then(
        () => true,
        () => false,
      ),
    );
  });

  test("fails a release, of which the server hears when it is back", async () => {
    const { semaphore, served } = await setUp();
    const lease = await semaphore.acquire("key");
    await cutOff(async () => {
      await expect(lease.release()).rejects.toSatisfy(isStoreError);
      expect(await inUse(served)).toBe(1);
    });
    await until("the permit is free", 5_000, async () => (await inUse(served)) === 0);
  });
});

describe('While the server is unavailable, "allow"', () => {
  test("gives everybody permits, without a token and without an end", async () => {
    const { semaphore, served } = await setUp("allow", 1);
    await cutOff(async () => {
      const leases = await Promise.all([1, 2, 3].map(() => semaphore.acquire("key")));
      for (const lease of leases) {
        expect(lease).toMatchObject({ token: 0, permits: 1, expiresInMs: Number.POSITIVE_INFINITY });
        expect(lease.signal.aborted).toBe(false);
        await lease.renew();
        await lease.release();
        expect(lease.expiresInMs).toBe(0);
      }
      expect(await semaphore.peek("key")).toEqual({ capacity: 1, inUse: 0, waiting: 0 });
    });
    expect(await inUse(served)).toBe(0);
  });

  test("gives nobody more permits than there are", async () => {
    const { semaphore } = await setUp("allow", 2);
    await cutOff(async () => {
      const refused = semaphore.acquire("key", { permits: 3 });
      await expect(refused).rejects.toMatchObject({
        name: "LimitedError",
        result: { source: "policy", retryAfterMs: Number.POSITIVE_INFINITY },
      });
    });
  });

  test("lets those in who wait already", async () => {
    const { semaphore, served } = await setUp("allow", 1);
    await served.acquire("key");
    const waiting = semaphore.acquire("key");
    await until("it waits", 5_000, async () => (await served.peek("key")).waiting === 1);
    await cutOff(async () => {
      expect(await waiting).toMatchObject({ token: 0 });
    });
    await until("its place is free", 5_000, async () => (await served.peek("key")).waiting === 0);
  });
});

describe('While the server is unavailable, "deny"', () => {
  test("refuses everybody for a second, those that may wait too", async () => {
    const { semaphore } = await setUp("deny", 3);
    await cutOff(async () => {
      for (const timeout of [0, "10s"] as const) {
        const error = await semaphore.acquire("key", { timeout }).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(LimitedError);
        expect((error as LimitedError).result).toEqual({
          limited: true,
          quotaIndex: 0,
          source: "policy",
          limit: 3,
          remaining: 0,
          resetAfterMs: 1_000,
          retryAfterMs: 1_000,
        });
      }
      expect(await semaphore.peek("key")).toEqual({ capacity: 3, inUse: 3, waiting: 0 });
    });
  });
});

describe("While the server is unavailable, a store to fall back on", () => {
  test("gives permits of its own, which are renewed and given back there, also when the server is back", async () => {
    const fallback = new MemoryStore();
    const { semaphore, served } = await setUp(fallback, 1);
    const local = new Semaphore({ capacity: 1, store: fallback });
    let lease!: Awaited<ReturnType<typeof semaphore.acquire>>;
    await cutOff(async () => {
      lease = await semaphore.acquire("key");
      expect(lease.token).toBeGreaterThan(0);
      const refused = semaphore.acquire("key", { timeout: 0 });
      await expect(refused).rejects.toMatchObject({ result: { source: "fallback", remaining: 0 } });
      expect(await semaphore.peek("key")).toEqual({ capacity: 1, inUse: 1, waiting: 0 });
    });
    await until("the server answers", 5_000, () => served.peek("key").then(() => true));
    await lease.renew();
    expect([lease.signal.aborted, (await local.peek("key")).inUse]).toEqual([false, 1]);
    await lease.release();
    expect([(await local.peek("key")).inUse, await inUse(served)]).toEqual([0, 0]);
  });

  test("lets those wait who come meanwhile, and those who waited at the server", async () => {
    const { semaphore, served } = await setUp(new MemoryStore(), 1);
    await served.acquire("key");
    const before = semaphore.acquire("key");
    await until("it waits", 5_000, async () => (await served.peek("key")).waiting === 1);
    await cutOff(async () => {
      const first = await before;
      const second = semaphore.acquire("key");
      await until("it waits there", 5_000, async () => (await semaphore.peek("key")).waiting === 1);
      await first.release();
      await (await second).release();
    });
    await until("its place is free", 5_000, async () => (await served.peek("key")).waiting === 0);
  });

  test("that has no semaphores is no help: calls fail with the StoreError", async () => {
    const without: Store = new RemoteStore(new ManualClock());
    const { semaphore } = await setUp(without);
    await cutOff(async () => {
      await expect(semaphore.acquire("key")).rejects.toSatisfy(isStoreError);
    });
  });
});

describe("When an answer comes too late", () => {
  test.each<[OnUnavailable, number]>([
    ["throw", 1],
    ["allow", 1],
    ["deny", 1],
    // Enough of them to open the breaker, so that nothing is sent any more for a while.
    ["throw", 20],
    ["allow", 20],
    ["deny", 20],
  ])(
    "%s: what the server gave to %i who asked is given back, and no ghost holds it",
    async (policy, count) => {
      const { semaphore, served } = await setUp(policy, 20);
      await tooLate(async () => {
        const given = until("the server gives it", 5_000, async () => (await inUse(served)) === count);
        const calls = Array.from({ length: count }, () => semaphore.acquire("key", { timeout: 0 }));
        await Promise.allSettled([...calls, given]);
        await given;
      });
      await until("nobody holds anything", 5_000, async () => (await inUse(served)) === 0);
    },
  );

  test("a place in line is given back as well, when those who asked for it have given up", async () => {
    const { semaphore, served } = await setUp("deny", 1);
    await served.acquire("key");
    await tooLate(async () => {
      await Promise.allSettled(Array.from({ length: 10 }, () => semaphore.acquire("key")));
      expect(await served.peek("key")).toMatchObject({ waiting: 10 });
    });
    await until("nobody waits", 5_000, async () => (await served.peek("key")).waiting === 0);
  });

  test("what a fallback gave to somebody who had given up is given back there", async () => {
    const fallback = new MemoryStore();
    const { semaphore, served } = await setUp(fallback, 1);
    await tooLate(async () => {
      const leave = new AbortController();
      const call = semaphore.acquire("key", { signal: leave.signal });
      await until("the server gives it", 5_000, async () => (await inUse(served)) === 1);
      leave.abort(new Error("enough"));
      await expect(call).rejects.toThrow("enough");
      // The next call is answered after the one that was given up.
      await (await semaphore.acquire("key", { timeout: "5s" })).release();
    });
    expect(await new Semaphore({ capacity: 1, store: fallback }).peek("key")).toMatchObject({ inUse: 0 });
    await until("the server has it back", 5_000, async () => (await inUse(served)) === 0);
  });

  test("what a fallback gave instead is held there alone", async () => {
    const fallback = new MemoryStore();
    const { semaphore, served } = await setUp(fallback, 1);
    await tooLate(async () => {
      await semaphore.acquire("key");
    });
    await until("the server has it back", 5_000, async () => (await inUse(served)) === 0);
    expect(await new Semaphore({ capacity: 1, store: fallback }).peek("key")).toMatchObject({ inUse: 1 });
  });

  test.each<[string, () => OnUnavailable]>([
    ["allow", () => "allow"],
    ["deny", () => "deny"],
    ["another store", () => new MemoryStore()],
  ])("%s: who was let in keeps its permit, though an answer to it was lost before", async (_, policy) => {
    const client = new Redis(node.port);
    // Whoever can't subscribe asks again and again.
    const forgetful = new ForgetfulClient(client);
    const store = new RedisStore(forgetful, { prefix, onUnavailable: policy(), deadline: DEADLINE_MS });
    stores.push(store);
    const served = on(`redis://127.0.0.1:${node.port}`, 1, { deadline: "5s" });
    const held = await served.acquire("key");
    const waiting = new Semaphore({ capacity: 1, timeout: "20s", store }).acquire("key");
    await until("it waits", 5_000, async () => (await served.peek("key")).waiting === 1);
    await forgetful.forgetNext();
    await held.release();
    const lease = await waiting;
    expect(lease.token).toBeGreaterThan(held.token);
    await until("the lost answer is given up", 5_000, async () => {
      const { counters } = await store.status();
      return counters["failures"] === 1;
    });
    // Whatever the store told the server then comes before this.
    await client.ping();
    await expect(served.acquire("key", { timeout: 0 })).rejects.toThrow(LimitedError);
    expect(lease.signal.aborted).toBe(false);
    await lease.release();
    await (await served.acquire("key")).release();
    client.disconnect();
  });

  test("what the server gave after its release, as it had to be told the script first, is given back once more", async () => {
    const client = new Redis(node.port);
    const overtaken = new OvertakenClient(client);
    const store = new RedisStore(overtaken, { prefix, deadline: DEADLINE_MS });
    stores.push(store);
    const served = on(`redis://127.0.0.1:${node.port}`, 1, { deadline: "5s" });
    await served.peek("key");
    await client.script("FLUSH");
    const leave = new AbortController();
    const given = overtaken.overtakeNext(() => leave.abort(new Error("enough")));
    const call = new Semaphore({ capacity: 1, store }).acquire("key", { signal: leave.signal });
    await expect(call).rejects.toThrow("enough");
    await given;
    await until("the server has it back", 5_000, async () => (await inUse(served)) === 0);
    client.disconnect();
  });

  test("a release that was heard, though nobody knew, frees nobody else when it is sent again", async () => {
    const { semaphore, served } = await setUp("throw", 1);
    const lease = await semaphore.acquire("key");
    await tooLate(async () => {
      await expect(lease.release()).rejects.toSatisfy(isStoreError);
    });
    const next = await served.acquire("key");
    expect(next.token).toBeGreaterThan(lease.token);
    await until("the server answers", 5_000, () =>
      semaphore.peek("key").then(
        () => true,
        () => false,
      ),
    );
    const { evals } = { evals: proxy.count("evalsha") };
    await until("the release was sent again", 5_000, () => proxy.count("evalsha") > evals);
    expect(await inUse(served)).toBe(1);
    expect(next.signal.aborted).toBe(false);
  });
});

describe("An open breaker", () => {
  test("fails calls at once, and nothing reaches the wire", async () => {
    const { semaphore } = await setUp("throw", 5, { breaker: { retryAfter: "10s" }, deadline: "50ms" });
    await tooLate(async () => {
      await Promise.allSettled([1, 2, 3, 4, 5].map(() => semaphore.acquire("key")));
    });
    const before = proxy.count("evalsha");
    for (let i = 0; i < 100; i++) {
      await expect(semaphore.acquire("key")).rejects.toThrow(
        "it is left alone after several failures in a row",
      );
    }
    expect(proxy.count("evalsha")).toBe(before);
  });
});
