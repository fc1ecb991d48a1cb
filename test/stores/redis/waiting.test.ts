import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, describe, expect, inject, test } from "vitest";
import { type AlgorithmName, Throttled } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { ManualClock } from "../../../src/testing.js";
import { RecordingClient } from "../../support/recording-client.js";

const WAITERS = 200;
const SPACING_MS = 10;

const redis = new Redis(inject("redisUrl"));
afterAll(() => redis.disconnect());

/** Those who wait for one key in several processes, each of which is a store of its own; time moves by hand. */
class Queue {
  readonly clock = new ManualClock();
  readonly client = new RecordingClient(redis);
  /** Who went, in that order, and when: milliseconds since the beginning. */
  readonly gone: { id: number; afterMs: number }[] = [];
  readonly #start = this.clock.now();
  readonly #processes: Throttled<RedisStore>[];
  readonly #leave = new Map<number, AbortController>();

  constructor(using: AlgorithmName, quota: string, processes: number) {
    const prefix = randomUUID();
    this.#processes = Array.from({ length: processes }, () => {
      const store = new RedisStore(this.client, { prefix, clock: this.clock });
      return new Throttled({ using, quota, store, key: "shared", timeout: "1h" });
    });
  }

  /** Lines up waiters, who come to the processes by turns, each in a turn of the event loop of its own; resolves when all of them have booked. */
  async lineUp(count: number): Promise<void> {
    await this.#processes[0]!.peek();
    this.client.sent.length = 0;
    for (let id = 0; id < count; id++) {
      const leave = new AbortController();
      this.#leave.set(id, leave);
      this.#processes[id % this.#processes.length]!.limit(undefined, { signal: leave.signal }).then(
        ({ limited }) => !limited && this.gone.push({ id, afterMs: this.clock.now() - this.#start }),
        () => {},
      );
      // Calls of one process travel together, and would overtake those of the others.
      await setImmediate();
    }
    await this.settled();
  }

  async leave(id: number): Promise<void> {
    this.#leave.get(id)!.abort();
    await this.settled();
  }

  /** Replies come in the order of the calls, so that all calls before this are answered after it. */
  async settled(): Promise<void> {
    await setImmediate();
    await redis.ping();
    await setImmediate();
  }

  async advance(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) {
      this.clock.advance(1);
      await setImmediate();
    }
  }

  peek(): ReturnType<Throttled["peek"]> {
    return this.#processes[0]!.peek();
  }
}

describe.each(["token-bucket", "leaky-bucket", "gcra"] as const)("%s", (using) => {
  test(`${WAITERS} waiters of four processes go in the order of arrival, at the quota's pace, one call each`, async () => {
    const queue = new Queue(using, "100/s burst 1", 4);
    await queue.lineUp(WAITERS);
    await queue.advance(WAITERS * SPACING_MS);
    expect(queue.gone).toEqual(
      Array.from({ length: WAITERS }, (_, id) => ({ id, afterMs: id * SPACING_MS })),
    );
    expect(queue.client.sent.length).toBeLessThanOrEqual(WAITERS * 1.1);
    expect(queue.clock.sleepers).toBe(0);
    expect(await queue.peek()).toMatchObject({ remaining: 1, resetAfterMs: 0 });
  });

  test("when half of them leave, the others of the same process move up, and the line is half as long", async () => {
    const queue = new Queue(using, "100/s burst 1", 1);
    await queue.lineUp(WAITERS);
    await queue.advance(5);
    const stay = Array.from({ length: WAITERS }, (_, id) => id).filter((id) => id % 2 === 0);
    for (let id = 1; id < WAITERS; id += 2) await queue.leave(id);
    expect(await queue.peek()).toMatchObject({ retryAfterMs: (WAITERS / 2) * SPACING_MS - 5 });
    expect(queue.client.sent.length - 1).toBeLessThanOrEqual((WAITERS + WAITERS / 2) * 1.1);

    await queue.advance((WAITERS / 2) * SPACING_MS);
    expect(queue.gone).toEqual(stay.map((id, i) => ({ id, afterMs: i * SPACING_MS })));
    expect(queue.clock.sleepers).toBe(0);
  });

  test("those of another process keep their moments, and who comes later finds a shorter line", async () => {
    const queue = new Queue(using, "100/s burst 1", 2);
    await queue.lineUp(40);
    // Of the first process, whose waiters have even numbers, every other one leaves.
    for (let id = 2; id < 40; id += 4) await queue.leave(id);
    expect(await queue.peek()).toMatchObject({ retryAfterMs: 30 * SPACING_MS });
    await queue.advance(40 * SPACING_MS);
    const moments = (parity: number): object[] => queue.gone.filter(({ id }) => id % 2 === parity);
    expect(moments(1)).toEqual(
      Array.from({ length: 20 }, (_, i) => ({ id: 2 * i + 1, afterMs: (2 * i + 1) * SPACING_MS })),
    );
    expect(moments(0)).toEqual(
      Array.from({ length: 10 }, (_, i) => ({ id: 4 * i, afterMs: 2 * i * SPACING_MS })),
    );
  });
});

test.each(["fixed-window", "sliding-window"] as const)(
  "%s lets waiters of four processes go in the order of arrival, at most a window's limit in each",
  async (using) => {
    const queue = new Queue(using, "5/100ms", 4);
    await queue.lineUp(20);
    await queue.advance(1_000);
    const moments = [...queue.gone].sort((one, other) => one.id - other.id).map(({ afterMs }) => afterMs);
    expect(moments).toHaveLength(20);
    expect(moments).toEqual([...moments].sort((one, other) => one - other));
    for (let window = 0; window < 1_000; window += 100) {
      const inWindow = moments.filter((moment) => moment >= window && moment < window + 100);
      expect(inWindow.length).toBeLessThanOrEqual(5);
    }
    expect(queue.client.sent.length).toBeLessThanOrEqual(22);
  },
);
