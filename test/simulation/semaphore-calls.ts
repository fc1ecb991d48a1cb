import type { Calls, Ended, Terms } from "./calls.js";
import type { Program } from "./program.js";
import type { Random } from "./random.js";
import { StopSignal } from "./stop-signal.js";
import type { Holding, WatchedLeases } from "./watched-leases.js";
import type { World } from "./world.js";

/** The keys of semaphores. */
export const SEMAPHORE_KEYS = ["s"];

/** Makes calls of semaphores, and gives back what it got. */
export class SemaphoreCalls {
  readonly signals: StopSignal[] = [];
  readonly #world: World;
  readonly #random: Random;
  readonly #calls: Calls;
  readonly #leases: WatchedLeases;

  constructor(world: World, random: Random, calls: Calls, leases: WatchedLeases) {
    this.#world = world;
    this.#random = random;
    this.#calls = calls;
    this.#leases = leases;
  }

  /** Makes some call of a process. */
  make(program: Program): void {
    const random = this.#random;
    const key = random.pick(SEMAPHORE_KEYS);
    const kind = random.int(1, 100);
    if (kind <= 75) void this.#acquire(program, key);
    else if (kind <= 85) void this.#quick(program, `peek ${key}`, true, () => program.semaphore.peek(key));
    else if (kind <= 90) void this.#quick(program, "status", true, () => program.store.status());
    else if (kind <= 93) this.#resize(program);
    else {
      const held = this.#leases.holdings.filter((each) => each.program === program && !each.isReleased);
      if (held.length > 0) void this.#renew(random.pick(held));
    }
  }

  async #acquire(program: Program, key: string): Promise<void> {
    const random = this.#random;
    const timeout = random.pick([0, 0, 200, 1_000, 6_000]);
    const permits = random.chance(0.1) ? program.capacity + 1 : random.int(1, program.capacity);
    const signal = random.chance(0.2) ? this.#signal(program) : undefined;
    const askedAt = this.#world.time.now;
    const due = askedAt + (timeout === 0 ? program.plan.deadlineMs : timeout);
    const end = await this.#calls.make(
      program,
      `acquire ${permits} of ${key} timeout ${timeout}${signal ? " signal" : ""}`,
      { dueAt: () => due, hasPolicy: true, signal },
      () => program.semaphore.acquire(key, { permits, timeout, signal }),
    );
    if ("error" in end) return;
    const holding = this.#leases.got(program, end.value, askedAt);
    const { time } = this.#world;
    const holdMs = random.pick([0, 5, 100, 700, 3_000]);
    time.at(time.now + holdMs, program.machine, () => void this.#release(holding));
  }

  async #release(holding: Holding): Promise<void> {
    const { program, lease } = holding;
    const isFirst = !holding.isReleased;
    holding.isReleased = true;
    if (!isFirst) return;
    const twice = this.#random.chance(0.2);
    await this.#quick(program, `release ${lease.key} ${lease.permits}`, false, () => lease.release());
    if (twice) await this.#quick(program, `release ${lease.key} again`, false, () => lease.release());
    if (lease.expiresInMs !== 0) this.#world.fail("a lease that was released goes on");
  }

  async #renew({ program, lease }: Holding): Promise<void> {
    await this.#quick(program, `renew ${lease.key}`, false, () => lease.renew());
  }

  #resize(program: Program): void {
    const capacity = this.#random.int(1, 3);
    this.#world.note(() => `${program.machine.name} sets the capacity to ${capacity}`);
    this.#leases.mostPermits = Math.max(this.#leases.mostPermits, capacity);
    program.semaphore.capacity = capacity;
  }

  /** Makes a call that does not wait. */
  #quick<T>(program: Program, what: string, hasPolicy: boolean, make: () => Promise<T>): Promise<Ended<T>> {
    const due = this.#world.time.now + program.plan.deadlineMs;
    const terms: Terms = { dueAt: () => due, hasPolicy };
    return this.#calls.make(program, what, terms, make);
  }

  #signal(program: Program): StopSignal {
    const signal = new StopSignal(program.machine);
    const { time } = this.#world;
    const isIdle = this.#random.chance(0.3);
    if (!isIdle)
      time.at(time.now + this.#random.pick([0, 1, 20, 100, 400, 2_000]), program.machine, () => {
        this.#world.note(() => `${program.machine.name} aborts`);
        signal.abort(time.now);
      });
    this.signals.push(signal);
    return signal;
  }
}
