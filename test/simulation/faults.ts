import type { Grants } from "./grants.js";
import { CALM, type Weather } from "./network.js";
import type { FaultName, Plan } from "./plan.js";
import type { Program } from "./program.js";
import type { Random } from "./random.js";
import type { WatchedLeases } from "./watched-leases.js";
import type { World } from "./world.js";

/** Lets things go wrong, and takes note of what that excuses. */
export class Faults {
  /** When every key last gained something other than by time. */
  gainedAt = Number.NEGATIVE_INFINITY;
  readonly #world: World;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #programs: readonly Program[];
  readonly #grants: Grants;
  readonly #leases: WatchedLeases;
  readonly #close: (program: Program) => void;
  /** What the way to the server is like between storms. */
  #usual: Weather;

  constructor(
    world: World,
    plan: Plan,
    random: Random,
    programs: readonly Program[],
    grants: Grants,
    leases: WatchedLeases,
    close: (program: Program) => void,
  ) {
    this.#world = world;
    this.#plan = plan;
    this.#random = random;
    this.#programs = programs;
    this.#grants = grants;
    this.#leases = leases;
    this.#close = close;
    this.#usual = { ...CALM, slowestMs: plan.slowestMs };
    world.network.weather = this.#usual;
    // A script that the server does not know is sent twice.
    const isSlow = plan.programs.some(({ deadlineMs }) => 4 * plan.slowestMs >= deadlineMs);
    if (isSlow) world.network.calmSince = Number.POSITIVE_INFINITY;
  }

  /** Lets one of the planned faults happen to a process, or to the server. */
  happen(program: Program): void {
    const fault = this.#random.pick(this.#plan.faults);
    const ms = this.#random.pick([1, 20, 150, 600, 2_000]);
    this.#world.note(() => `${fault} (${program.machine.name}, ${ms} ms)`);
    this.#disturb(ms);
    this.#acts[fault](ms, program);
  }

  /** Everything works again. */
  heal(): void {
    const { network, time } = this.#world;
    this.#usual = CALM;
    network.weather = CALM;
    network.serviceMs = 0;
    network.server.refusal = undefined;
    if (network.isDown) network.comeBack();
    network.unhang();
    for (const { client } of this.#programs) client.cutOffUntil = time.now;
    // Nobody can make a process go on that stands still.
    const stalledUntil = Math.max(...this.#programs.map(({ machine }) => machine.stalledUntil));
    network.calmSince = Math.min(network.calmSince, Math.max(time.now, stalledUntil));
  }

  #disturb(ms: number): void {
    const { network, time } = this.#world;
    network.calmSince = Math.max(network.calmSince, time.now + ms);
  }

  #later(ms: number, act: () => void): void {
    const { time } = this.#world;
    time.at(time.now + ms, undefined, act);
  }

  readonly #acts: Readonly<Record<FaultName, (ms: number, program: Program) => void>> = {
    storm: (ms) => {
      const { network } = this.#world;
      network.weather = this.#plan.storm;
      // What was delayed or doubled by it comes later.
      this.#disturb(ms + 100 * this.#plan.storm.slowestMs);
      this.#later(ms, () => {
        network.weather = this.#usual;
      });
    },
    break: (_, { client, machine }) => {
      const { time } = this.#world;
      time.at(time.now, machine, () => client.breakDown());
    },
    "cut off": (ms, { client }) => {
      client.cutOffUntil = Math.max(client.cutOffUntil, this.#world.time.now + ms);
    },
    hang: (ms) => this.#world.network.hang(ms),
    slow: (ms) => {
      const { network } = this.#world;
      network.serviceMs = this.#random.pick([1, 10, 50]);
      this.#disturb(ms + 2_000);
      this.#later(ms, () => {
        network.serviceMs = 0;
      });
    },
    "fail over": (ms) => this.#failOver(ms, this.#random.pick([0, 1, 5, 1_000])),
    refuse: (ms) => {
      const { server } = this.#world.network;
      server.refusal = this.#random.pick(["LOADING it is", "READONLY it is", "OOM it is"]);
      this.#later(ms, () => {
        server.refusal = undefined;
      });
    },
    flush: () => this.#world.network.server.flushScripts(),
    jump: () => this.#jump(this.#random.pick([-100_000, -1_000, -10, 10, 1_000, 100_000])),
    stall: (ms, { machine }) => {
      machine.stalledUntil = Math.max(machine.stalledUntil, this.#world.time.now + ms);
    },
    die: (_, { machine }) => {
      // Somebody has to be left who looks.
      if (this.#programs.filter(({ isGone }) => !isGone).length > 1) machine.isDead = true;
    },
    close: (_, program) => {
      if (this.#programs.filter(({ isGone }) => !isGone).length > 1) this.#close(program);
    },
  };

  #failOver(ms: number, lostWrites: number): void {
    const { network } = this.#world;
    network.goDown();
    network.server.failOver(lostWrites);
    if (lostWrites > 0) {
      this.#grants.forgetAll(this.#programs);
      // Among what is lost may be releases.
      network.expectGhosts(this.#plan.leaseMs);
      this.#excuse(0);
    }
    if (this.#random.chance(0.2)) this.#jump(this.#random.pick([-1_000, -10, 10]));
    this.#later(ms, () => network.comeBack());
  }

  #jump(ms: number): void {
    const { network } = this.#world;
    network.server.setAhead(ms);
    network.setForwardMs += Math.max(ms, 0);
    this.#grants.jump();
    // Leases end as much earlier than their holders know.
    this.#excuse(Math.max(ms, 0));
    if (ms > 0) return;
    this.#leases.tokensMayFall = true;
    // Leases last for as much longer.
    network.expectGhosts(this.#plan.leaseMs - ms);
  }

  #excuse(moreMs: number): void {
    const { now } = this.#world.time;
    this.gainedAt = now;
    this.#leases.excusedUntil = Math.max(this.#leases.excusedUntil, now + this.#leases.leaseMs + moreMs);
  }
}
