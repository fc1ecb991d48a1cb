import { inspect } from "node:util";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  isStoreError,
  Limiter,
  Semaphore,
  StoreError,
  type StoreFailure,
  Throttled,
  ThrottledError,
} from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { replyError } from "../../../src/stores/redis/connection.js";
import { IOREDIS } from "../../support/ioredis.js";
import { freePort, type RedisServer, startRedis } from "../../support/redis-server.js";

const PASSWORD = "hunter2-of-the-server";
const WRONG = "wrong-horse-battery";
const USER = "user-name-of-mine";
const KEY = "key-of-a-person";
const SECRETS = [PASSWORD, WRONG, USER, KEY, "redis://"];

const limiter = new Limiter("gcra", "5/h");
let locked: RedisServer;
let address: string;
beforeAll(async () => {
  locked = await startRedis("--requirepass", PASSWORD);
  address = locked.url.replace("redis://", "");
});
afterAll(() => locked.stop());

/** Everything that a log could show of a value. */
function shown(value: unknown): string {
  const error = value as Error;
  return [
    inspect(value, { showHidden: true, depth: 20, maxStringLength: null, getters: true }),
    JSON.stringify(value),
    String(value),
    JSON.stringify(Object.getOwnPropertyNames(error).map((name) => [name, error[name as keyof Error]])),
  ].join("\n");
}

async function failureOf(call: Promise<unknown>): Promise<StoreError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreError);
  expect(isStoreError(error)).toBe(true);
  for (const secret of SECRETS) expect(shown(error)).not.toContain(secret);
  return error as StoreError;
}

test("a wrong password fails both operations with a StoreError that shows no secret", async () => {
  await using store = new RedisStore(`redis://:${WRONG}@${address}`);
  expect(await failureOf(store.decide(limiter, KEY, 1, 0))).toMatchObject({
    name: "StoreError",
    store: "redis",
    operation: "decide",
    message:
      "The redis store failed to decide: no answer within 250 ms (WRONGPASS invalid username-password pair or user is disabled.)",
  });
  expect(await failureOf(store.reset(limiter, KEY))).toMatchObject({
    name: "StoreError",
    store: "redis",
    operation: "reset",
    message:
      "The redis store failed to reset: no answer within 250 ms (WRONGPASS invalid username-password pair or user is disabled.)",
  });
});

test("a wrong user name and a missing password fail the same way", async () => {
  await using named = new RedisStore(`redis://${USER}:${PASSWORD}@${address}`);
  expect((await failureOf(named.decide(limiter, KEY, 1, 0))).message).toContain("WRONGPASS");
  await using without = new RedisStore(locked.url);
  expect((await failureOf(without.decide(limiter, KEY, 1, 0))).message).toContain("NOAUTH");
});

test.each(IOREDIS)(
  "a client of yours with a wrong password shows none over $version",
  async ({ connect }) => {
    const client = connect(`redis://:${WRONG}@${address}`);
    client.on("error", () => {});
    const store = new RedisStore(client);
    expect((await failureOf(store.decide(limiter, KEY, 1, 0))).message).toContain("WRONGPASS");
    client.disconnect();
  },
);

test("a server that can't be reached is a StoreError soon, for every way of calling", async () => {
  const port = await freePort();
  await using store = new RedisStore(`redis://${USER}:${PASSWORD}@127.0.0.1:${port}`);
  const throttle = new Throttled({ store, key: KEY });
  const calls = {
    limit: throttle.limit(),
    peek: throttle.peek(),
    acquire: throttle.acquire(),
    run: throttle.run(() => expect.unreachable()),
    wrap: throttle.wrap(() => expect.unreachable())(),
    limitMany: throttle.limitMany([KEY]),
    waiting: throttle.limit(KEY, { timeout: "1h" }),
    refund: throttle.refund(),
  };
  for (const [name, call] of Object.entries(calls)) {
    expect(await failureOf(call), name).toMatchObject({ store: "redis", operation: "decide" });
  }
  expect(await failureOf(throttle.reset())).toMatchObject({ operation: "reset" });
});

test("the errors belong to the family, and carry nothing but their fields", async () => {
  await using store = new RedisStore(`redis://:${WRONG}@${address}`);
  const error = await failureOf(store.decide(limiter, KEY, 1, 0));
  expect(error).toBeInstanceOf(ThrottledError);
  expect(Object.keys(error).sort()).toEqual(["name", "operation", "reason", "store"]);
  expect(error.cause).toBeUndefined();
});

test("neither a store nor a limiter shows the password of its URL", async () => {
  await using store = new RedisStore(`redis://${USER}:${PASSWORD}@${address}`, {
    redisOptions: { connectionName: "named" },
  });
  const throttle = new Throttled({ store });
  for (const value of [store, throttle, { nested: { store } }]) {
    for (const secret of SECRETS) expect(shown(value)).not.toContain(secret);
  }
});

test("options of ioredis beside a client of the caller's are refused", () => {
  const answers = async (): Promise<unknown> => "OK";
  const client = { evalsha: answers, eval: answers, del: answers };
  expect(() => new RedisStore(client, { redisOptions: { db: 1 } })).toThrow(
    new TypeError("Expected `redisOptions` only beside a URL: a client has options of its own"),
  );
});

describe("what a server says", () => {
  const redis = new Redis(inject("redisUrl"));
  afterAll(() => redis.disconnect());

  test("about a command that it doesn't know is told without the key that was sent", async () => {
    await using server = await disposable("--rename-command", "EVALSHA", "");
    await using store = new RedisStore(server.url);
    expect((await failureOf(store.decide(limiter, KEY, 1, 0))).message).toContain("unknown command");
  });

  test("about a user who may not is told", async () => {
    await redis.acl("SETUSER", USER, "on", `>${PASSWORD}`, "~*", "+@all", "-evalsha", "-del");
    const { host } = new URL(inject("redisUrl"));
    await using store = new RedisStore(`redis://${USER}:${PASSWORD}@${host}`);
    expect((await failureOf(store.decide(limiter, KEY, 1, 0))).message).toContain("NOPERM");
    expect((await failureOf(store.reset(limiter, KEY))).message).toContain("NOPERM");
    await redis.acl("DELUSER", USER);
  });

  test("is cut to 200 characters on one line", async () => {
    const long = `ERR ${"x".repeat(300)}\r\nsecond\u0000line`;
    const fails = async (): Promise<never> => {
      throw new Error(long);
    };
    const store = new RedisStore({ evalsha: fails, eval: fails, del: fails });
    const { message } = await failureOf(store.decide(limiter, KEY, 1, 0));
    expect(message).toBe(`The redis store failed to decide: ${long.slice(0, 200)}…`);
    const broken = new RedisStore({
      evalsha: () => Promise.reject(new Error("two\r\nlines")),
      eval: fails,
      del: fails,
    });
    const { message: escaped } = await failureOf(broken.decide(limiter, KEY, 1, 0));
    expect(escaped).toBe("The redis store failed to decide: two\\u000d\\u000alines");
  });

  test.each<[unknown]>([
    ["OK"],
    [""],
    [null],
    [undefined],
    [1],
    [[]],
    [["", "5"]],
    [["x1", "5"]],
    [["1x", "5"]],
    ["0 0 NaN 0 0"],
    ["nan nan nan nan nan"],
  ])("that is no answer of the script never admits: %j", async (reply) => {
    const answers = async (): Promise<unknown> => reply;
    const store = new RedisStore({ evalsha: answers, eval: answers, del: answers });
    expect(await failureOf(store.decide(limiter, KEY, 1, 0))).toMatchObject({
      store: "redis",
      operation: "decide",
      reason: "refused",
      message: "The redis store failed to decide: the answer is not that of its script",
    });
  });

  test.each<[unknown]>([["OK"], [null], [["x"]]])(
    "that is no answer of the script gives no permit: %j",
    async (reply) => {
      const answers = async (): Promise<unknown> => reply;
      const store = new RedisStore({ evalsha: answers, eval: answers, del: answers });
      const acquired = new Semaphore({ capacity: 1, store }).acquire(KEY);
      expect(await failureOf(acquired)).toMatchObject({
        store: "redis",
        operation: "arrange",
        reason: "refused",
        message: "The redis store failed to arrange: the answer is not that of its script",
      });
    },
  );

  test.each<[string, unknown, string, StoreFailure]>([
    ["refused the call", replyError("WRONGTYPE of a value"), "WRONGTYPE of a value", "refused"],
    ["can't serve anybody", replyError("LOADING the dataset"), "LOADING the dataset", "unavailable"],
    [
      "was lost",
      Object.assign(new Error("Reached the max retries"), { name: "MaxRetriesPerRequestError" }),
      "the connection was lost",
      "unreachable",
    ],
    ["was lost otherwise", new Error("Connection is closed."), "Connection is closed.", "unreachable"],
    ["failed with a text", "oops", "oops", "unreachable"],
  ])("has a reason: it %s", async (_, error, problem, reason) => {
    const fails = () => Promise.reject(error);
    const store = new RedisStore({ evalsha: fails, eval: fails, del: fails });
    const message = `The redis store failed to decide: ${problem}`;
    expect(await failureOf(store.decide(limiter, KEY, 1, 0))).toMatchObject({ message, reason });
  });
});

/** A server that ends with the block that uses it. */
async function disposable(...options: string[]): Promise<{ url: string } & AsyncDisposable> {
  const { url, stop } = await startRedis(...options);
  return { url, [Symbol.asyncDispose]: stop };
}
