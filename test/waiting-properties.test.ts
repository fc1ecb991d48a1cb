import fc from "fast-check";
import { expect, test } from "vitest";
import { type AlgorithmName, MemoryStore, Throttled } from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { turn } from "./support/manual-time.js";

const START = 1_700_000_000_000;
const algorithms = fc.constantFrom<AlgorithmName>(
  "fixed-window",
  "sliding-window",
  "token-bucket",
  "leaky-bucket",
  "gcra",
);

interface Queue {
  readonly clock: ManualClock;
  readonly limiter: Throttled;
  readonly served: { name: number; cost: number; moment: number }[];
  readonly controllers: AbortController[];
  wait(cost: number): void;
}

function queueOf(using: AlgorithmName, quota: string): Queue {
  const clock = new ManualClock(START);
  const limiter = new Throttled({ using, quota, store: new MemoryStore({ clock }), timeout: "52w" });
  const served: Queue["served"] = [];
  const controllers: AbortController[] = [];
  return {
    clock,
    limiter,
    served,
    controllers,
    wait(cost) {
      const controller = new AbortController();
      const name = controllers.push(controller) - 1;
      limiter.limit("k", { cost, signal: controller.signal }).then(
        () => served.push({ name, cost, moment: clock.now() - START }),
        () => {},
      );
    },
  };
}

/** Lets time pass until nobody waits any more. */
async function finish({ clock }: Queue): Promise<void> {
  await turn();
  for (let passed = 0; clock.sleepers > 0; passed++) {
    if (passed > 10_000) throw new Error("Somebody waits for ever");
    clock.advance(1);
    await turn();
  }
}

test("after aborts everybody who is left is served as if the others had never come", async () => {
  const crowd = fc.array(fc.boolean(), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(algorithms, crowd, fc.infiniteStream(fc.nat()), async (using, stays, order) => {
      const quota = "3/20ms";
      const [all, few] = [queueOf(using, quota), queueOf(using, quota)];
      // Nobody may pass before the aborts, as units that were used can't be given to anybody else.
      for (const queue of [all, few]) queue.wait(3);
      for (const stay of stays) {
        all.wait(1);
        if (stay) few.wait(1);
      }
      await turn();
      const leaving = stays.flatMap((stay, i) =>
        stay ? [] : [{ name: i + 1, rank: order.next().value ?? 0 }],
      );
      for (const { name } of leaving.sort((one, other) => one.rank - other.rank)) {
        all.controllers[name]?.abort();
        await turn();
      }
      await finish(all);
      await finish(few);
      expect(all.served.map(({ moment }) => moment)).toEqual(few.served.map(({ moment }) => moment));
      expect(await all.limiter.peek("k")).toEqual(await few.limiter.peek("k"));
    }),
    { numRuns: 60 },
  );
});

type Step = { wait: number } | { abort: number } | { refund: number } | { advance: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }).map((wait): Step => ({ wait })) },
    { weight: 2, arbitrary: fc.nat().map((abort): Step => ({ abort })) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }).map((refund): Step => ({ refund })) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 40 }).map((advance): Step => ({ advance })) },
  ),
  { maxLength: 40 },
);

async function play(queue: Queue, script: readonly Step[]): Promise<number> {
  let refunded = 0;
  for (const step of script) {
    if ("wait" in step) queue.wait(step.wait);
    else if ("refund" in step) {
      await queue.limiter.refund("k", step.refund);
      refunded += step.refund;
    } else if ("advance" in step) queue.clock.advance(step.advance);
    else queue.controllers[step.abort % queue.controllers.length]?.abort();
    await turn();
  }
  return refunded;
}

test("whatever happens, nobody waits for ever and nobody overtakes anybody", async () => {
  await fc.assert(
    fc.asyncProperty(algorithms, steps, async (using, script) => {
      const queue = queueOf(using, "4/20ms");
      await play(queue, script);
      await finish(queue);
      const names = queue.served.map(({ name }) => name);
      expect(names).toEqual([...names].sort((one, other) => one - other));
      const gone = queue.controllers.filter(({ signal }) => signal.aborted).length;
      expect(names.length).toBeGreaterThanOrEqual(queue.controllers.length - gone);
    }),
    { numRuns: 1_000 },
  );
});

test("whatever happens, the store ends up charged with what was served and not given back", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("token-bucket" as const, "gcra" as const),
      steps,
      async (using, script) => {
        const queue = queueOf(using, "4/20ms");
        // In debt from the start, so that the bucket is never full and no unit given back is lost on it.
        const debt = 200;
        await queue.limiter.acquireSync("k", 1).settle(debt);
        const refunded = await play(queue, script);
        await finish(queue);
        const spent = queue.served.reduce((sum, { cost }) => sum + cost, debt);
        const owed = (spent - refunded) * 5 - (queue.clock.now() - START);
        expect((await queue.limiter.peek("k")).resetAfterMs).toBe(Math.max(owed, 0));
      },
    ),
    { numRuns: 500 },
  );
});
