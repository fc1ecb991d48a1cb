import { randomInt, randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, inject, test, vi } from "vitest";
import { type Booking, Limiter } from "../../src/algorithms/limiter.js";
import { type RedisClient, RedisStore } from "../../src/redis.js";
import type { SemaphoreRequest } from "../../src/semaphore/state.js";
import { ManualClock } from "../../src/testing.js";
import { ALGORITHMS } from "../support/algorithms.js";
import { Random } from "./random.js";
import { type SemaphoreEntry, termsOf } from "./semaphore-emulation.js";
import { SCRIPTS, SimulatedServer } from "./simulated-server.js";

const TURNS = 400;

let redis: Redis;
let listener: Redis;
let clock: ManualClock;
let simulated: SimulatedServer;
let prefix: string;
let random: Random;

beforeAll(() => {
  redis = new Redis(inject("redisUrl"));
  listener = new Redis(inject("redisUrl"));
});
afterAll(() => {
  redis.disconnect();
  listener.disconnect();
});
beforeEach(async ({ onTestFailed }) => {
  clock = new ManualClock();
  simulated = new SimulatedServer(() => 0);
  simulated.loadScripts();
  for (const { source } of SCRIPTS) await redis.script("LOAD", source);
  prefix = `emulation:${randomUUID()}`;
  const seed = randomInt(2 ** 31);
  random = new Random(seed);
  onTestFailed(() => console.info(`The seed is ${seed}`));
});

/** A client of a real server, each of whose replies must be that of the simulated one. */
class ComparingClient implements RedisClient {
  replies = 0;

  async evalsha(script: string, keys: number, ...rest: string[]): Promise<unknown> {
    const command = { script, keys: rest.slice(0, keys), args: rest.slice(keys) };
    const expected = simulated.execute({ name: "evalsha", ...command });
    const reply = await redis.evalsha(script, keys, ...rest);
    expect(reply).toEqual(expected);
    this.replies++;
    return reply;
  }

  async eval(): Promise<unknown> {
    throw new Error("the scripts are loaded");
  }

  async del(key: string): Promise<unknown> {
    const expected = simulated.execute({ name: "del", keys: [key], args: [] });
    const reply = await redis.del(key);
    expect(reply).toEqual(expected);
    return reply;
  }
}

/** Lets some time pass, or jumps back. */
function pass(): void {
  const ms = random.chance(0.1) ? random.int(-3_000, 3_000) : random.int(0, 400);
  clock.set(clock.now() + ms);
}

test("the emulation of limiters answers and keeps what their script does", async () => {
  const client = new ComparingClient();
  const store = new RedisStore(client, { clock, prefix });
  const limiters = ALGORITHMS.flatMap((using) => [
    new Limiter(using, "5/s"),
    new Limiter(using, ["7/2s", "3/300ms"]),
  ]);
  const booked: { limiter: Limiter; key: string; cost: number; booking: Booking }[] = [];
  const act = async (): Promise<void> => {
    const limiter = random.pick(limiters);
    const key = random.pick(["a", "b{}%"]);
    const cost = random.int(-2, 5);
    const last = random.chance(0.2) ? booked.pop() : undefined;
    if (last !== undefined) await store.decide(last.limiter, last.key, -last.cost, 0, last.booking);
    else if (random.chance(0.02)) await store.reset(limiter, key);
    else {
      const maxWaitMs = random.pick([0, 0, 0, 800, 5_000, Number.POSITIVE_INFINITY]);
      // Nobody is charged nothing in any case.
      const units = maxWaitMs === Number.POSITIVE_INFINITY ? Math.max(1, cost) : cost;
      const { booking } = await store.decide(limiter, key, units, maxWaitMs);
      if (booking !== undefined) booked.push({ limiter, key, cost: units, booking });
    }
  };
  for (let turn = 0; turn < TURNS; turn++) {
    pass();
    await Promise.all(Array.from({ length: random.int(1, 12) }, act));
  }
  expect(client.replies).toBeGreaterThan(TURNS / 2);
  for (const limiter of limiters) {
    for (const key of ["a", "b%7B%7D%25"]) {
      const place = `${prefix}:${limiter.id}:${key}`;
      expect(await redis.get(place)).toEqual(simulated.find(place) ?? null);
    }
  }
});

test("the emulation of semaphores answers, tells and keeps what their script does", async () => {
  const channels = `${prefix}:semaphore:news:`;
  const heard: string[] = [];
  const expected: string[] = [];
  await listener.psubscribe(`${channels}*`);
  listener.on("pmessage", (_pattern, channel: string, message: string) => {
    if (channel.startsWith(channels)) heard.push(`${channel} ${message}`);
  });
  simulated.listen((channel, message) => expected.push(`${channel} ${message}`));
  const client = new ComparingClient();
  const stores = [1, 2].map(() => new RedisStore(client, { clock, prefix }));
  const act = async (): Promise<void> => {
    const id = random.int(1, 6);
    const request: SemaphoreRequest = {
      act: random.pick(["acquire", "wait", "wait", "renew", "release", "release"]),
      id: `p-${id}`,
      permits: 1 + (id % 3),
      leaseMs: 500 + 100 * id,
    };
    const rules = { capacity: random.pick([1, 3, 3, 3, 4]), maxWaiting: random.pick([100, 100, 2, 0]) };
    await random.pick(stores).arrange("key", rules, random.chance(0.1) ? undefined : request);
  };
  for (let turn = 0; turn < TURNS; turn++) {
    pass();
    await Promise.all(Array.from({ length: random.int(1, 4) }, act));
  }
  expect(expected.length).toBeGreaterThan(10);
  await vi.waitFor(() => expect(heard).toEqual(expected), { timeout: 5_000 });
  const place = `${prefix}:semaphore:key`;
  const { token, places } = simulated.find(place) as SemaphoreEntry;
  const held = places.filter(({ isHeld }) => isHeld).reduce((sum, { id }) => sum + termsOf(id).permits, 0);
  const members: [string, number][] = [
    ["inUse", 2 ** 52 + held],
    ["token", 2 ** 52 + token],
  ];
  for (const { id, token, isHeld, endsAt } of places)
    members.push([id, endsAt], [`#${id}`, isHeld ? 2 ** 52 + token : -token]);
  for (const [member, score] of members) expect(Number(await redis.zscore(place, member))).toBe(score);
  expect(await redis.zcard(place)).toBe(members.length);
});
