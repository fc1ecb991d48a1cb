import { Limiter } from "../../src/algorithms/limiter.js";
import { Calls } from "./calls.js";
import { Faults } from "./faults.js";
import { Grants } from "./grants.js";
import { KEYS, LimiterCalls } from "./limiter-calls.js";
import { Names } from "./names.js";
import { Network, type Outcome } from "./network.js";
import { draw, type Plan } from "./plan.js";
import { Program } from "./program.js";
import { Random } from "./random.js";
import { SEMAPHORE_KEYS, SemaphoreCalls } from "./semaphore-calls.js";
import type { Command } from "./simulated-server.js";
import { VirtualTime } from "./virtual-time.js";
import { watchBreakers } from "./watched-breaker.js";
import { watchDenyCaches } from "./watched-deny-cache.js";
import { MENDED_MS, WatchedLeases } from "./watched-leases.js";
import type { World } from "./world.js";

/** What became of a simulation. */
export interface Finding {
  readonly seed: number;
  /** What was not as it was promised; nothing if all was. */
  readonly problem: string | undefined;
  /** What happened, line by line, if that was asked for. */
  readonly trace: readonly string[];
  readonly operations: number;
  readonly events: number;
}

/** How long everything may take to come to its end once nothing is wrong any more. */
const LONGEST_END_MS = 60_000;

/** Events of a simulation at most: some two hundred are usual. */
const MOST_EVENTS = 20_000;

/** Runs the simulation of a seed; the same seed always does the same. */
export async function simulate(seed: number, isTraced = false): Promise<Finding> {
  const simulation = new Simulation(seed, isTraced);
  await simulation.run();
  const { problem, trace, plan, time } = simulation;
  return { seed, problem, trace, operations: plan.operations, events: time.events };
}

class Simulation implements World {
  readonly trace: string[] = [];
  problem: string | undefined;
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly #random: Random;
  readonly #isTraced: boolean;
  readonly #programs: readonly Program[];
  readonly #calls: Calls;
  readonly #grants: Grants;
  readonly #leases: WatchedLeases;
  readonly #limiterCalls: LimiterCalls;
  readonly #semaphoreCalls: SemaphoreCalls;
  readonly #faults: Faults;
  readonly #names = new Names();
  readonly #looks: (() => void)[] = [];
  /** When a key last gained something other than by time. */
  readonly #gainedAt = new Map<string, number>();

  constructor(seed: number, isTraced: boolean) {
    this.#isTraced = isTraced;
    const random = new Random(seed);
    this.plan = draw(random.fork());
    this.time = new VirtualTime(random.fork());
    this.network = new Network(this.time, random.fork());
    this.network.onCommand = (command, outcome) => this.#carriedOut(command, outcome);
    this.#random = random;
    this.#programs = this.plan.programs.map((own) => new Program(this, this.plan, own));
    this.#calls = new Calls(this);
    const limiters = this.plan.limiters.map(({ using, quotas }) => new Limiter(using, quotas));
    this.#grants = new Grants(this, limiters, KEYS);
    this.#leases = new WatchedLeases(this, this.plan);
    this.#limiterCalls = new LimiterCalls(this, limiters, random.fork(), this.#calls, this.#grants);
    this.#semaphoreCalls = new SemaphoreCalls(this, random.fork(), this.#calls, this.#leases);
    this.#faults = new Faults(
      this,
      this.plan,
      random.fork(),
      this.#programs,
      this.#grants,
      this.#leases,
      (program) => this.#close(program),
    );
  }

  note = (text: () => string): void => {
    if (this.#isTraced) this.trace.push(`${this.time.now.toFixed(2).padStart(9)}  ${text()}`);
  };

  afterTurn(look: () => void): void {
    this.#looks.push(look);
  }

  fail(problem: string): void {
    if (this.problem !== undefined) return;
    this.note(() => `NOT AS PROMISED: ${problem}`);
    this.problem = problem;
  }

  async run(): Promise<void> {
    const restore = this.#install();
    try {
      this.note(() => JSON.stringify(this.plan));
      for (let i = 0; i < this.plan.operations && this.problem === undefined; i++) {
        this.#operate();
        await this.#pass(this.#random.pick([0, 0, 0, 1, 10, 50, 200]));
      }
      if (this.problem === undefined) await this.#end();
    } finally {
      restore();
    }
  }

  #operate(): void {
    const random = this.#random;
    const program = random.pick(this.#programs.filter(({ isGone }) => !isGone));
    if (this.plan.faults.length > 0 && random.chance(this.plan.faultiness)) this.#faults.happen(program);
    else {
      const calls = random.chance(0.7) ? this.#limiterCalls : this.#semaphoreCalls;
      this.#on(program, () => calls.make(program));
    }
  }

  /** Lets everything come to its end, and looks whether anything is left. */
  async #end(): Promise<void> {
    this.note(() => "everything works again");
    this.#faults.heal();
    const lastMoment = this.time.now + LONGEST_END_MS;
    while (this.#isBusy && this.time.now < lastMoment) await this.#pass(500);
    await this.#pass(MENDED_MS + 1);
    if (this.#calls.pending.length > 0) this.fail(`calls ${this.#calls.pending} do not settle`);
    this.#checkLedgers();
    this.#grants.check(this.#programs, this.plan.storm.doubled > 0);
    const living = this.#programs.filter(({ isGone }) => !isGone);
    for (const program of living) this.#on(program, () => this.#limiterCalls.probe(program));
    await this.#pass(500);
    for (const program of living) this.#close(program);
    await this.#pass(LONGEST_END_MS);
    const { left } = this.time;
    if (left.length > 0) this.fail(`${left.length} timers are left`);
    const { signals } = this.#limiterCalls;
    for (const { isHeard } of [...signals, ...this.#semaphoreCalls.signals]) {
      if (isHeard) this.fail("somebody still listens to a signal");
    }
  }

  get #isBusy(): boolean {
    const isCalm = this.time.now > this.network.calmSince;
    return !isCalm || this.#calls.pending.length > 0 || this.#leases.isAnyHeld;
  }

  /** What was charged and not given back is what callers have, wherever each answer was heard. */
  #checkLedgers(): void {
    for (const { stores, machine } of this.#programs) {
      if (machine.isDead) continue;
      for (const store of stores) {
        for (const { name, charged, had, isUnsure } of store.lines.values()) {
          if (!isUnsure && charged !== had)
            this.fail(`${name}: ${charged} units are charged, but callers have ${had}`);
        }
      }
    }
  }

  #close(program: Program): void {
    program.isClosed = true;
    this.#on(program, () => {
      const due = this.time.now + program.plan.deadlineMs + 1_000;
      const terms = { dueAt: () => due, hasPolicy: true };
      void this.#calls.make(program, "close", terms, () => program.store.close());
    });
  }

  #on({ machine }: Program, act: () => void): void {
    this.time.at(this.time.now, machine, act);
  }

  async #pass(ms: number): Promise<void> {
    await this.time.run(this.time.now + ms, () => {
      for (const look of this.#looks.splice(0)) look();
      this.#leases.check(this.#programs, SEMAPHORE_KEYS);
      if (this.time.events > MOST_EVENTS) this.fail(`it goes on after ${MOST_EVENTS} events`);
      return this.problem === undefined;
    });
  }

  /** Takes note of what keys gain, by what the server is told. */
  #carriedOut(command: Command, outcome: Outcome): void {
    const { name, keys, args } = command;
    this.note(() => this.#names.tell(command, outcome));
    if (name === "del") this.#grants.forget(keys[0]!, this.#programs);
    for (const [i, key] of keys.entries()) {
      const program = args[Math.min(i, args.length - 1)];
      if (name === "del" || program?.includes("-")) this.#gainedAt.set(key, this.time.now);
    }
  }

  #install(): () => void {
    const of = (name: string): Program => this.#programs.find(({ machine }) => machine.name === name)!;
    const fail = (error: unknown): void => this.fail(`nobody handles ${(error as Error)?.stack ?? error}`);
    process.on("unhandledRejection", fail);
    const gainedAt = (place: string): number =>
      Math.max(this.#faults.gainedAt, this.#gainedAt.get(place) ?? Number.NEGATIVE_INFINITY);
    const { stackTraceLimit } = Error;
    // To take down where an error was made takes longer than all else.
    if (!this.#isTraced) Error.stackTraceLimit = 0;
    const restore = [
      () => {
        Error.stackTraceLimit = stackTraceLimit;
      },
      this.time.install(),
      watchBreakers(this, (name) => of(name).plan.breaker),
      watchDenyCaches(this, (name) => of(name).client, this.plan.denyCacheMs ?? 0, gainedAt),
      () => process.off("unhandledRejection", fail),
    ];
    return () => {
      for (const each of restore) each();
    };
  }
}
