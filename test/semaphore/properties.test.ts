import fc from "fast-check";
import { expect, test } from "vitest";
import { isLimitedError, type Lease, MemoryStore, Semaphore } from "../../src/index.js";
import { ManualClock } from "../../src/testing.js";
import { turn } from "../support/manual-time.js";

const KEYS = 2;
const LEASE_MS = 1_000;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("acquire" as const),
      by: fc.nat(2),
      key: fc.nat(KEYS - 1),
      permits: fc.integer({ min: 1, max: 4 }),
      timeout: fc.constantFrom(0, 500, 3_600_000, 3_600_000, 3_600_000),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("release" as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort" as const), which: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("resize" as const), capacity: fc.integer({ min: 1, max: 5 }) }),
  },
  // Renewals happen on the way, or, if it is longer than a lease, come too late: everything that was held is lost.
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(1, 100, 300, 2_000) }),
  },
  // Somebody of another process, which dies at once.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("dies" as const), key: fc.nat(KEYS - 1) }) },
);

interface Waiting {
  readonly key: string;
  arrival: number;
  readonly leave: AbortController;
}

/** Several semaphores on one store, and what they ought to have given. */
class Program {
  readonly clock = new ManualClock();
  readonly store = new MemoryStore({ clock: this.clock });
  readonly semaphores = [1, 2, 3].map(
    () => new Semaphore({ capacity: 3, store: this.store, lease: LEASE_MS }),
  );
  readonly held: Lease[] = [];
  readonly waiting = new Set<Waiting>();
  /** What ought not to have happened. */
  readonly problems: string[] = [];
  /** The last token of each key. */
  readonly #tokens = new Map<string, number>();
  #arrivals = 0;

  acquire(by: number, key: string, permits: number, timeout: number): void {
    const waiting = { key, arrival: this.#arrivals++, leave: new AbortController() };
    this.waiting.add(waiting);
    this.semaphores[by]!.acquire(key, { permits, timeout, signal: waiting.leave.signal }).then(
      (lease) => this.#admit(waiting, lease),
      (error: unknown) => {
        this.waiting.delete(waiting);
        if (!waiting.leave.signal.aborted && !isLimitedError(error)) this.problems.push(String(error));
      },
    );
  }

  pass(ms: number): void {
    this.clock.advance(ms);
    if (ms <= LEASE_MS) return;
    // They have lost their places, and come anew in any order.
    const arrival = this.#arrivals++;
    for (const waiting of this.waiting) waiting.arrival = arrival;
  }

  #admit(admitted: Waiting, lease: Lease): void {
    this.waiting.delete(admitted);
    this.held.push(lease);
    for (const { key, arrival, leave } of this.waiting) {
      if (key === admitted.key && !leave.signal.aborted && arrival < admitted.arrival) {
        this.problems.push(`${admitted.arrival} went before ${arrival}`);
      }
    }
    const last = this.#tokens.get(lease.key) ?? 0;
    if (lease.token <= last) this.problems.push(`token ${lease.token} came after ${last}`);
    this.#tokens.set(lease.key, lease.token);
  }

  /** What is held of a key by those who know of no loss. */
  heldOf(key: string): number {
    const live = this.held.filter(
      (lease) => lease.key === key && !lease.signal.aborted && lease.expiresInMs > 0,
    );
    return live.reduce((sum, { permits }) => sum + permits, 0);
  }
}

test("of random programs never more is held than there is, nobody is overtaken, and tokens grow", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const program = new Program();
      const before = new Map<string, number>();
      for (const now of steps) {
        if (now.kind === "acquire") program.acquire(now.by, `key ${now.key}`, now.permits, now.timeout);
        if (now.kind === "release")
          void program.held.splice(now.which % (program.held.length || 1), 1)[0]?.release();
        if (now.kind === "abort") [...program.waiting][now.which]?.leave.abort();
        if (now.kind === "resize") for (const each of program.semaphores) each.capacity = now.capacity;
        if (now.kind === "pass") program.pass(now.ms);
        if (now.kind === "dies") {
          const { capacity } = program.semaphores[0]!;
          const request = {
            act: "wait",
            id: `dead ${program.clock.now()}`,
            permits: 1,
            leaseMs: LEASE_MS,
          } as const;
          program.store.arrange(`key ${now.key}`, { capacity, maxWaiting: 100 }, request);
        }
        await turn();
        expect(program.problems).toEqual([]);
        for (const key of ["key 0", "key 1"]) {
          const { capacity, inUse } = await program.semaphores[0]!.peek(key);
          expect(program.heldOf(key)).toBeLessThanOrEqual(inUse);
          // After it was lowered, more may be held, but never more than before.
          expect(inUse).toBeLessThanOrEqual(Math.max(capacity, before.get(key) ?? 0));
          before.set(key, inUse);
        }
      }
      for (const { leave } of program.waiting) leave.abort();
      await Promise.all(program.held.map((lease) => lease.release()));
      program.clock.advance(2 * LEASE_MS);
      await turn();
      for (const key of ["key 0", "key 1"]) {
        expect(await program.semaphores[0]!.peek(key)).toMatchObject({ inUse: 0, waiting: 0 });
      }
      expect(program.clock.sleepers).toBe(0);
    }),
    { numRuns: 150 },
  );
}, 60_000);
