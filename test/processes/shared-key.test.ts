import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Throttled } from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";
import { ALGORITHMS } from "../support/algorithms.js";
import { startWorkers, type Worker } from "../support/worker.js";

const PROCESSES = 8;
const CALLS = 60;
const LIMIT = 100;
/** A week, so that no window ends and no unit is refilled on the way. */
const QUOTA = `${LIMIT}/w`;

const prefix = randomUUID();
const redis = new Redis(inject("redisUrl"));
let workers: Worker[] = [];

beforeAll(async () => {
  const input = { url: inject("redisUrl"), prefix, processes: PROCESSES, calls: CALLS };
  workers = await startWorkers(new URL("limit-worker.mjs", import.meta.url), Array(PROCESSES).fill(input));
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  redis.disconnect();
});

describe(`${PROCESSES} processes on one Redis key`, () => {
  test.each(ALGORITHMS)("%s admits exactly its limit", async (using) => {
    for (const worker of workers) worker.send({ using, quota: QUOTA });
    const admitted = await Promise.all(workers.map((worker) => worker.receive<number>()));
    expect(admitted.reduce((one, other) => one + other)).toBe(LIMIT);

    const throttle = new Throttled({
      using,
      quota: QUOTA,
      store: new RedisStore(redis, { prefix, deadline: "10s" }),
    });
    expect(await throttle.peek("shared")).toMatchObject({ limit: LIMIT, remaining: 0 });
    expect(await throttle.limit("shared")).toMatchObject({ limited: true });
  });

  test("end by themselves when they are done", async () => {
    for (const worker of workers) worker.send("stop");
    for (const worker of workers) {
      expect(await worker.ended).toEqual({ code: 0, signal: null, complaints: "" });
    }
  });
});
