import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Limiter, StoreError } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { ALGORITHMS } from "../../support/algorithms.js";
import { IOREDIS } from "../../support/ioredis.js";
import { RecordingClient } from "../../support/recording-client.js";
import { type RedisServer, startRedis } from "../../support/redis-server.js";

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe.each(IOREDIS)("EVALSHA over $version", ({ version, connect }) => {
  let redis: ReturnType<typeof connect>;
  beforeAll(() => {
    redis = connect(server.url);
  });
  afterAll(() => redis.disconnect());

  test.each(ALGORITHMS)("%s goes on after the server forgot its scripts", async (using) => {
    const client = new RecordingClient(redis);
    const store = new RedisStore(client, { prefix: `${version} one` });
    const limiter = new Limiter(using, "5/h");
    await store.decide(limiter, "key", 1, 0);
    client.sent.length = 0;

    await redis.script("FLUSH");
    expect(await store.decide(limiter, "key", 1, 0)).toMatchObject({ limited: false, remaining: 3 });
    expect(await store.decide(limiter, "key", 1, 0)).toMatchObject({ limited: false, remaining: 2 });
    expect(client.sent.map(({ name }) => name)).toEqual(["evalsha", "eval", "evalsha"]);
  });

  test.each(ALGORITHMS)("%s admits exactly its limit when 50 calls at once find no script", async (using) => {
    const store = new RedisStore(redis, { prefix: `${version} many`, batch: false });
    const limiter = new Limiter(using, "20/w");
    await redis.script("FLUSH");
    const decisions = await Promise.all(Array.from({ length: 50 }, () => store.decide(limiter, "key", 1, 0)));
    expect(decisions.filter(({ limited }) => !limited)).toHaveLength(20);
    expect(await store.decide(limiter, "key", 0, 0)).toMatchObject({ remaining: 0 });
  });

  test("scripts that vanish again and again lose no call", async () => {
    const store = new RedisStore(redis, { prefix: `${version} again`, batch: false });
    const limiter = new Limiter("gcra", "1000/w");
    const calls = Array.from({ length: 100 }, (_, i) => {
      if (i % 5 === 0) void redis.script("FLUSH");
      return store.decide(limiter, "key", 1, 0);
    });
    expect((await Promise.all(calls)).filter(({ limited }) => limited)).toHaveLength(0);
    expect(await store.decide(limiter, "key", 0, 0)).toMatchObject({ remaining: 900 });
  });

  test("any other refusal is not sent a second time", async () => {
    const client = new RecordingClient(redis);
    const store = new RedisStore(client, { prefix: `${version} foreign` });
    const limiter = new Limiter("gcra", "5/h");
    await store.decide(limiter, "key", 1, 0);
    await redis.set(client.sent.at(-1)!.keys[0]!, "foreign");
    client.sent.length = 0;
    await expect(store.decide(limiter, "key", 1, 0)).rejects.toBeInstanceOf(StoreError);
    expect(client.sent.map(({ name }) => name)).toEqual(["evalsha"]);
  });
});
