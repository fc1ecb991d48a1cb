import type { Random } from "./random.js";
import { type Command, SimulatedServer } from "./simulated-server.js";
import type { Machine, VirtualTime } from "./virtual-time.js";

/** What befalls commands and messages on their way: delays in milliseconds, and how likely the rest is for each of them. */
export interface Weather {
  readonly slowestMs: number;
  readonly requestLost: number;
  readonly replyLost: number;
  readonly messageLost: number;
  /** The connection breaks, and what is under way on it fails. */
  readonly broken: number;
  /** The command is carried out once more, some time later. */
  readonly doubled: number;
}

export const CALM: Weather = {
  slowestMs: 2,
  requestLost: 0,
  replyLost: 0,
  messageLost: 0,
  broken: 0,
  doubled: 0,
};

/** What a command came to. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** When the server decided, on a line on which no clock is ever set back: that of the simulation, plus what it was set forward. */
export interface Decided {
  readonly outcome: Outcome;
  readonly moment: number;
  /** By the time of the simulation. */
  readonly at: number;
}

/** Something that can lose its connection. */
export interface Breakable {
  readonly machine: Machine;
  breakDown(): void;
}

/** One server, and the way to it. */
export class Network {
  readonly server: SimulatedServer;
  readonly connections = new Set<Breakable>();
  weather = CALM;
  /** Nobody can connect. */
  isDown = false;
  /** When the last fault was or will be over. */
  calmSince = 0;
  /** Until when the server may believe that places are taken that nobody knows of any more. */
  ghostsUntil = Number.NEGATIVE_INFINITY;
  /** How much the clock of the server was set forward in all. */
  setForwardMs = 0;
  /** Milliseconds that each command takes the server. */
  serviceMs = 0;
  /** Hears of each command that is carried out. */
  onCommand: (command: Command, outcome: Outcome) => void = () => {};
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #queue: (() => void)[] = [];
  #busyUntil = 0;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
    this.server = new SimulatedServer(() => time.now);
  }

  /** Something was carried out out of turn, or undone: the server may be wrong about who holds what for so long. */
  expectGhosts(ms: number): void {
    this.ghostsUntil = Math.max(this.ghostsUntil, this.#time.now + ms);
  }

  /** A moment on the line of the server. */
  get moment(): number {
    return Math.floor(this.#time.now) + this.setForwardMs;
  }

  chance(what: Exclude<keyof Weather, "slowestMs">): boolean {
    const probability = this.weather[what];
    return probability > 0 && this.#random.chance(probability);
  }

  delayMs(): number {
    return this.#random.int(1, 4 * this.weather.slowestMs) / 4;
  }

  /** The server does nothing for a while; what comes in waits. */
  hang(ms: number): void {
    this.#busyUntil = Math.max(this.#busyUntil, this.#time.now + ms);
  }

  /** The server goes on with what came in while it hung. */
  unhang(): void {
    this.#busyUntil = this.#time.now;
    this.#work();
  }

  /** The server is gone until `comeBack` is called, with all that it has not done yet. */
  goDown(): void {
    this.isDown = true;
    this.#queue.length = 0;
    for (const each of [...this.connections])
      this.#time.at(this.#time.now, each.machine, () => each.breakDown());
  }

  comeBack(): void {
    this.isDown = false;
    this.#busyUntil = this.#time.now;
  }

  /** Hands a command that has arrived to the server, after all that arrived before. */
  accept(command: Command, respond: (decided: Decided) => void): void {
    if (this.isDown) return;
    this.#queue.push(() => {
      const outcome = this.#execute(command);
      this.onCommand(command, outcome);
      respond({ outcome, moment: this.moment, at: this.#time.now });
    });
    if (this.#queue.length === 1) this.#work();
  }

  #work = (): void => {
    while (this.#queue.length > 0 && this.#busyUntil <= this.#time.now) {
      this.#busyUntil = this.#time.now + this.serviceMs;
      this.#queue.shift()!();
    }
    if (this.#queue.length > 0) this.#time.at(this.#busyUntil, undefined, this.#work);
  };

  #execute(command: Command): Outcome {
    try {
      return { value: this.server.execute(command) };
    } catch (error) {
      return { error };
    }
  }
}
