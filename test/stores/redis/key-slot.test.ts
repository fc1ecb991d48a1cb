import { randomBytes, randomInt } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keySlot } from "../../../src/stores/redis/key-slot.js";
import { type RedisServer, startRedis } from "../../support/redis-server.js";

let node: RedisServer;
let redis: Redis;
beforeAll(async () => {
  node = await startRedis("--cluster-enabled", "yes");
  redis = new Redis(node.url);
});
afterAll(async () => {
  redis.disconnect();
  await node.stop();
});

const TAGS = ["", "{", "}", "{}", "{a}", "{{a}}", "{a}{b}", "}{a}", "{a", "a}", "{ä}", "{}{a}", "{日本}"];

/** Keys of all lengths, with a tag or what looks like one somewhere in them. */
function randomKey(): string {
  const some = (): string => randomBytes(randomInt(24)).toString("latin1");
  return some() + TAGS[randomInt(TAGS.length)] + some() + TAGS[randomInt(TAGS.length)];
}

test("the slot of a key is the one that the server knows, with tags and without", async () => {
  const keys = [
    ...TAGS,
    "123456789",
    "👩‍👩‍👧",
    "k".repeat(5_000),
    ...Array.from({ length: 2_000 }, randomKey),
  ];
  const slots = await Promise.all(keys.map((key) => redis.cluster("KEYSLOT", key)));
  expect(keys.map(keySlot)).toEqual(slots);
});
