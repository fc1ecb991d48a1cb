import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type Decision,
  isStoreError,
  Limiter,
  MemoryStore,
  type Store,
  TokenBucket,
} from "../../../src/index.js";
import { type RedisClient, RedisStore } from "../../../src/redis.js";
import { ALGORITHMS } from "../../support/algorithms.js";
import { RecordingClient } from "../../support/recording-client.js";
import { type RedisServer, startRedis } from "../../support/redis-server.js";

const PASSWORD = "of the user";

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const gcra = new Limiter("gcra", "5/w");

/** How calls ended that were made together: what was left, or what went wrong. */
async function ends(calls: readonly Promise<Decision>[]): Promise<(number | string)[]> {
  return (await Promise.allSettled(calls)).map((end) => {
    if (end.status === "fulfilled") return end.value.remaining;
    expect(isStoreError(end.reason), String(end.reason)).toBe(true);
    return end.reason.message.replace("The redis store failed to decide: ", "");
  });
}

/** Spends a unit of each key, all in one tick. */
function spend(store: Store, keys: readonly string[], limiter = gcra): Promise<(number | string)[]> {
  return ends(keys.map(async (key) => store.decide(limiter, key, 1, 0)));
}

const NOT_A_RECORD = "ERR the key does not hold a record of this limiter";
const WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";

const FOREIGN: readonly [string, (key: string) => Promise<unknown>, string][] = [
  ["a list", (key) => redis.rpush(key, "1"), WRONG_TYPE],
  ["a hash", (key) => redis.hset(key, "tokens", "5"), WRONG_TYPE],
  ["foreign text", (key) => redis.set(key, "garbage"), NOT_A_RECORD],
  ["no text at all", (key) => redis.set(key, ""), NOT_A_RECORD],
  ["the record of another algorithm", (key) => redis.set(key, "1700000000000 1 2 3 4 5"), NOT_A_RECORD],
  ["a number beyond 2^53", (key) => redis.set(key, "1700000000000 9007199254740993"), NOT_A_RECORD],
  [
    "a number of 100,000 digits",
    (key) => redis.set(key, `1700000000000 ${"9".repeat(100_000)}`),
    NOT_A_RECORD,
  ],
];

test("lines instead of a record of many numbers are the problem of their key alone", async () => {
  const prefix = randomUUID();
  const quotas = Array.from({ length: 39 }, (_, i) => `5/${i + 1}w`);
  const many = new Limiter("gcra", quotas);
  await redis.set(`${prefix}:${many.id}:foreign`, Array(40).fill("5").join("\n"));
  const store = new RedisStore(redis, { prefix });
  expect(await spend(store, ["before", "foreign", "after"], many)).toEqual([4, NOT_A_RECORD, 4]);
});

describe.each(FOREIGN)("beside a key that holds %s", (_, plant, problem) => {
  test.each(ALGORITHMS)("calls of the same tick are decided as ever: %s", async (using) => {
    const prefix = randomUUID();
    const client = new RecordingClient(redis);
    const store = new RedisStore(client, { prefix });
    const limiter = new Limiter(using, "5/w");
    await plant(`${prefix}:${limiter.id}:bad`);
    await store.decide(limiter, "good", 0, 0);
    client.sent.length = 0;
    const keys = ["good", "bad", "good", "better", "bad", "good"];
    expect(await spend(store, keys, limiter)).toEqual([
      4,
      expect.stringContaining(problem),
      3,
      4,
      expect.stringContaining(problem),
      2,
    ]);
    expect(client.sent).toHaveLength(1);
  });

  test("every kind of call on it fails by itself, whatever the policy", async () => {
    const prefix = randomUUID();
    const store = new RedisStore(redis, { prefix, onUnavailable: new MemoryStore() });
    await plant(`${prefix}:${gcra.id}:bad`);
    const calls = [1, 0, -1, 1, 1].map((cost, i) =>
      store.decide(gcra, "bad", cost, [0, 0, 0, 60_000, Number.POSITIVE_INFINITY][i]!),
    );
    const all = await ends([...calls, store.decide(gcra, "good", 1, 0)]);
    expect(all).toEqual([...Array(5).fill(expect.stringContaining(problem)), 4]);
  });
});

describe("beside a key that the user may not touch", () => {
  const users: Redis[] = [];
  afterEach(() => {
    vi.useRealTimers();
    for (const user of users.splice(0)) user.disconnect();
  });

  /** A client whose user may only touch keys that end with `allowed` and a number. */
  async function limitedUser(prefix: string): Promise<RecordingClient> {
    await redis.acl("SETUSER", "limited", "reset", "on", `>${PASSWORD}`, `~${prefix}:*:allowed*`, "+@all");
    const user = new Redis({ port: server.port, username: "limited", password: PASSWORD });
    users.push(user);
    return new RecordingClient(user);
  }

  test("calls of the same tick are decided as ever, each key sent by itself", async () => {
    const prefix = randomUUID();
    const client = await limitedUser(prefix);
    const store = new RedisStore(client, { prefix, deadline: "10s" });
    await spend(store, ["allowed0"]);
    client.sent.length = 0;
    const keys = ["allowed1", "forbidden", "allowed2", "allowed1", "forbidden"];
    expect(await spend(store, keys)).toEqual([
      4,
      expect.stringContaining("NOPERM"),
      4,
      3,
      expect.stringContaining("NOPERM"),
    ]);
    expect(client.sent.map((command) => command.keys.length)).toEqual([3, 1, 1, 1]);
  });

  test("tick after tick, as long as some are served", async () => {
    const prefix = randomUUID();
    const store = new RedisStore(await limitedUser(prefix), { prefix, deadline: "10s" });
    for (let tick = 0; tick < 20; tick++) {
      const [forbidden, allowed] = await spend(store, ["forbidden", `allowed${tick}`]);
      expect([forbidden, allowed]).toEqual([expect.stringContaining("NOPERM"), 4]);
    }
  });

  test("where none is served, the breaker hears of it", async () => {
    const prefix = randomUUID();
    const store = new RedisStore(await limitedUser(prefix), {
      prefix,
      deadline: "10s",
      breaker: { failures: 4, retryAfter: "1h" },
    });
    const forbidden = Array(2).fill(expect.stringContaining("NOPERM"));
    expect(await spend(store, ["one", "two"])).toEqual(forbidden);
    expect(await spend(store, ["one", "allowed1"])).toEqual([forbidden[0], 4]);
    expect(await spend(store, ["one", "two"])).toEqual(forbidden);
    expect(await spend(store, ["one", "two"])).toEqual(forbidden);
    expect(await spend(store, ["one", "allowed1"])).toEqual(
      Array(2).fill(expect.stringContaining("it is left alone after several failures in a row")),
    );
  });

  test("`close` waits for keys that are sent by themselves", async () => {
    const prefix = randomUUID();
    const store = new RedisStore(await limitedUser(prefix), { prefix, deadline: "10s" });
    const all = spend(store, ["allowed1", "forbidden", "allowed2"]);
    await store.close();
    expect(await all).toEqual([4, expect.stringContaining("NOPERM"), 4]);
  });

  test("no call takes longer than the deadline", async () => {
    vi.useFakeTimers();
    const answers = [() => Promise.reject(replyError("NOPERM No permissions to access a key"))];
    let asked = 0;
    const evalsha = (): Promise<unknown> => {
      const answer = answers[asked++] ?? never;
      return new Promise((resolve, reject) => setTimeout(() => answer().then(resolve, reject), 150));
    };
    const client: RedisClient = { evalsha, eval: evalsha, del: evalsha };
    const settled = vi.fn();
    const all = spend(new RedisStore(client, { deadline: "200ms" }), ["a", "b"]).finally(settled);
    await vi.advanceTimersByTimeAsync(199);
    expect([asked, settled.mock.calls.length]).toEqual([3, 0]);
    await vi.advanceTimersByTimeAsync(2);
    expect(settled).toHaveBeenCalled();
    expect(await all).toEqual(Array(2).fill("no answer within 200 ms"));
  });
});

test.each([
  [
    "where each answer in a reply is that of a server that can't serve, the breaker hears of it",
    "-OOM not now",
    "it is left alone after several failures in a row",
  ],
  ["where one answer in a reply is a decision, the breaker stays closed", "", "OOM not now"],
])("%s", async (_what, answer, problem) => {
  const evalsha = async (): Promise<unknown> => `1700000000000\n-OOM not now\n${answer}`;
  const client: RedisClient = { evalsha, eval: evalsha, del: evalsha };
  const store = new RedisStore(client, { breaker: { failures: 2, retryAfter: "1h" } });
  await spend(store, ["one", "two"]);
  expect((await spend(store, ["one", "two"]))[0]).toContain(problem);
});

function never(): Promise<never> {
  return new Promise(() => {});
}

function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}

describe("beside an algorithm of one's own", () => {
  class Failing extends TokenBucket {
    static override readonly algorithmName: string = "failing";
    static readonly lua: string =
      "local algorithm = { size = 1, new = function() error('out of order') end }";
  }
  class Broken extends TokenBucket {
    static override readonly algorithmName: string = "broken";
    static readonly lua: string = "local algorithm = {";
  }

  test.each([
    ["fails", Failing, "out of order"],
    ["does not compile", Broken, "Error compiling script"],
  ])("whose Lua %s calls of the same tick are decided as ever", async (_, using, problem) => {
    const store = new RedisStore(redis, { prefix: randomUUID() });
    const own = new Limiter(using, "5/w");
    const calls = [gcra, own, gcra, own].map((limiter) => store.decide(limiter, "key", 1, 0));
    const failed = expect.stringContaining(problem);
    expect(await ends(calls)).toEqual([4, failed, 3, failed]);
    await store.reset(gcra, "key");
  });

  test("that has no Lua calls of the same tick are decided as ever", async () => {
    class Unknown extends TokenBucket {
      static override readonly algorithmName = "unknown";
    }
    const store = new RedisStore(redis, { prefix: randomUUID() });
    const refused = store.decide(new Limiter(Unknown, "5/w"), "key", 1, 0);
    const [served] = await Promise.all([
      store.decide(gcra, "key", 1, 0),
      expect(refused).rejects.toThrow("to have a twin in `lua`"),
    ]);
    expect(served).toMatchObject({ remaining: 4 });
  });
});

describe("on a server without memory left", () => {
  afterEach(() => redis.config("SET", "maxmemory", "0"));

  test("calls that write nothing are decided as ever, and the others fail or are a case for the policy", async () => {
    const prefix = randomUUID();
    const [strict, lenient] = (["throw", "allow"] as const).map(
      (onUnavailable) => new RedisStore(redis, { prefix, onUnavailable, breaker: { failures: 1_000 } }),
    );
    await strict!.decide(gcra, "full", 5, 0);
    await redis.config("SET", "maxmemory", "1");
    const calls = (store: Store): Promise<Decision>[] =>
      ["full", "fresh"].flatMap((key) => [0, 1].map(async (cost) => store.decide(gcra, key, cost, 0)));
    expect(await ends(calls(strict!))).toEqual([
      0,
      0,
      expect.stringMatching(/^OOM /),
      expect.stringMatching(/^OOM /),
    ]);
    const answers = await Promise.all(calls(lenient!));
    expect(answers.map(({ source, limited }) => `${source} ${limited}`)).toEqual([
      "store false",
      "store true",
      "policy false",
      "policy false",
    ]);
  });
});
