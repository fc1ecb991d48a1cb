import { randomUUID } from "node:crypto";
import { afterAll, describe, inject, test } from "vitest";
import { RedisStore } from "../../src/redis.js";
import { storeConformance } from "../../src/testing.js";
import { IOREDIS } from "../support/ioredis.js";

describe.each(IOREDIS)("RedisStore over $version conforms", ({ connect }) => {
  const client = connect(inject("redisUrl"));
  afterAll(() => client.disconnect());

  storeConformance({
    test,
    create: (clock) => new RedisStore(client, { clock, prefix: randomUUID() }),
  });
});
