import { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isStoreError, type RateLimitResult, type Throttled } from "../../src/index.js";
import type { RedisClient, RedisStore } from "../../src/redis.js";
import { shared } from "../support/shared.js";
import { inTurns, type Outcome, observeAll, sleep, slowest, watchProcess } from "./observe.js";
import { IN_TIME_MS, isServed, LIMIT, POLICIES, type Policy, Rig } from "./rig.js";

/** One way in which a server becomes unavailable, and available again. */
export interface Fault {
  readonly name: string;
  /** Options of the server. */
  readonly server?: readonly string[];
  /** What is done before anybody connects. */
  readonly prepare?: (rig: Rig) => unknown;
  /** Where the store connects to, the server itself by default. */
  readonly url?: (rig: Rig) => string | RedisClient;
  /** Whether it is there before the first call. */
  readonly fromStart?: boolean;
  /** Whether the server may carry out what it was sent although nobody got an answer. */
  readonly executes?: boolean;
  readonly provoke: (rig: Rig) => unknown;
  readonly undo: (rig: Rig) => unknown;
  /** What a StoreError says. */
  readonly says: RegExp;
}

type Outcomes = Record<Policy, Outcome<RateLimitResult>[]>;

/** How often anybody in this process wrote to a socket. */
let written = 0;
const { write } = Socket.prototype;
Socket.prototype.write = function (this: Socket, ...args: unknown[]): boolean {
  written++;
  return Reflect.apply(write, this, args);
};

const BURST = LIMIT + 1;
const RECOVERY_MS = 1_000;

/** Declares the tests of faults, four policies each. */
export function outageSuite(faults: readonly Fault[]): void {
  for (const fault of faults) declare(fault);
}

function declare(fault: Fault): void {
  describe(fault.name, () => {
    let watch: ReturnType<typeof watchProcess>;
    beforeAll(() => {
      watch = watchProcess();
    });
    const outage = shared(
      async () => {
        const rig = await provoked(fault);
        const calls = POLICIES.flatMap((policy) =>
          inTurns(Array.from({ length: BURST }, () => () => rig.throttle(policy).limit("burst"))),
        );
        const outcomes = await observeAll(calls);
        const burst = POLICIES.map((policy) => [policy, outcomes.splice(0, BURST)]);
        return { rig, burst: Object.fromEntries(burst) as Outcomes };
      },
      ({ rig }) => rig.stop(),
    );
    afterAll(() => watch.stop());

    test.each(POLICIES)("%s: each call ends in time and as the policy says", (policy) => {
      const outcomes = outage().burst[policy];
      expect(slowest(outcomes)).toBeLessThanOrEqual(IN_TIME_MS);
      CHECKS[policy](outcomes, fault.says);
    });

    test.each(POLICIES)("%s: an open breaker answers at once and leaves the socket alone", async (policy) => {
      expect((await whileOpen(outage().rig.throttle(policy))).written).toBe(0);
    });

    test("within a second after it is over everybody is served, and only once", async () => {
      const { rig } = outage();
      await fault.undo(rig);
      const over = performance.now();
      await each((policy) => expectRecovery(rig, policy, over));
      if (fault.executes) return;
      await each(async (policy) => {
        expect(await rig.throttle(policy).peek("burst")).toMatchObject({ remaining: LIMIT });
      });
    });

    test("nothing was left unhandled, and nothing was warned of", () => {
      expect(watch.problems).toEqual([]);
    });
  });
}

const each = (run: (policy: Policy) => Promise<void>): Promise<unknown> => Promise.all(POLICIES.map(run));

async function provoked(fault: Fault): Promise<Rig> {
  const rig = await Rig.start(...(fault.server ?? []));
  await fault.prepare?.(rig);
  if (fault.fromStart) await fault.provoke(rig);
  rig.connect(fault.url?.(rig) ?? rig.url);
  if (!fault.fromStart) {
    await rig.warmUp();
    await fault.provoke(rig);
  }
  return rig;
}

async function expectRecovery(rig: Rig, policy: Policy, over: number): Promise<void> {
  const throttle = rig.throttle(policy);
  while (!(await isServed(throttle))) await sleep(10);
  expect(performance.now() - over, policy).toBeLessThanOrEqual(RECOVERY_MS);
  // One after the other, so that a machine that is busy with other tests is not late with twenty answers at once.
  const results: RateLimitResult[] = [];
  for (let call = 0; call < 20; call++) results.push(await throttle.limit("after"));
  expect(results.filter(({ limited }) => !limited)).toHaveLength(LIMIT);
  expect(new Set(results.map(({ source }) => source))).toEqual(new Set(["store"]));
}

const CHECKS: Record<Policy, (outcomes: Outcome<RateLimitResult>[], says: RegExp) => void> = {
  throw: (outcomes, says) => {
    for (const { error } of outcomes) {
      expect(isStoreError(error), String(error)).toBe(true);
      expect(error).toMatchObject({
        store: "redis",
        operation: "decide",
        message: expect.stringMatching(says),
      });
    }
  },
  allow: (outcomes) => {
    for (const { result } of outcomes) expect(result).toMatchObject({ limited: false, source: "policy" });
  },
  deny: (outcomes) => {
    const denied = { limited: true, source: "policy", remaining: 0, retryAfterMs: 1_000 };
    for (const { result } of outcomes) expect(result).toMatchObject(denied);
  },
  fallback: (outcomes) => {
    for (const { result } of outcomes) expect(result).toMatchObject({ source: "fallback" });
    expect(outcomes.filter(({ result }) => result?.limited === false)).toHaveLength(LIMIT);
  },
};

/** What calls cost that end within one turn of the event loop: only those that an open breaker answers can. */
export async function whileOpen(throttle: Throttled<RedisStore>): Promise<{ ms: number[]; written: number }> {
  for (;;) {
    const ms: number[] = [];
    const before = written;
    let turned = false;
    const turn = setImmediate(() => {
      turned = true;
    });
    for (let i = 0; i < 200 && !turned; i++) {
      const start = performance.now();
      await throttle.limit("open").catch(() => {});
      ms.push(performance.now() - start);
    }
    clearImmediate(turn);
    // Otherwise one of them was let through to try.
    if (!turned) return { ms, written: written - before };
  }
}
