import { type Event, EventQueue, IMMEDIATE, MESSAGE, TIMER } from "./event-queue.js";
import type { Random } from "./random.js";

/** Lets every microtask and every `process.nextTick` run that is there, and those that these bring. */
const settle = (
  (setImmediate) => () =>
    new Promise<void>((resolve) => setImmediate(() => resolve()))
)(globalThis.setImmediate);

/** A moment has quarters of a millisecond, which doubles hold exactly. */
const STEP_MS = 0.25;

/** A process: it has an event loop of its own, which may stand still, and a clock that began when it did. */
export class Machine {
  readonly name: string;
  /** What its `performance.now()` is ahead of the time of the simulation. */
  readonly aheadMs: number;
  /** Until when its event loop stands still, or did so last. */
  stalledUntil = Number.NEGATIVE_INFINITY;
  /** Nothing happens on it any more. */
  isDead = false;

  constructor(name: string, aheadMs: number) {
    this.name = name;
    this.aheadMs = aheadMs;
  }
}

/**
 * Time that passes only from event to event, for several machines in one process: what code does after an event, until there
 * is nothing left to do, is done by the machine of that event, and timers that it sets are timers of that machine.
 */
export class VirtualTime {
  /** Milliseconds since the simulation began. */
  now = 0;
  /** Whose code runs. */
  machine: Machine | undefined;
  /** How many events have happened. */
  events = 0;
  readonly #queue = new EventQueue();
  readonly #random: Random;
  #order = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Lets something come in at a moment, on a machine or nowhere in particular; then it must not run code under test. */
  at(moment: number, machine: Machine | undefined, run: () => void): void {
    this.#push(moment, MESSAGE, machine, run);
  }

  /** Runs what belongs to a machine, so that its clock is read. */
  as<T>(machine: Machine, act: () => T): T {
    const before = this.machine;
    this.machine = machine;
    try {
      return act();
    } finally {
      this.machine = before;
    }
  }

  /** Lets everything happen until `moment`, as long as `goesOn` says so after each event that ran code under test. */
  async run(moment: number, goesOn: () => boolean): Promise<void> {
    for (let event = this.#queue.shift(moment); event !== undefined; event = this.#queue.shift(moment)) {
      this.now = event.at;
      const { machine, run } = event;
      if (machine?.isDead) continue;
      if (machine !== undefined && machine.stalledUntil > this.now) {
        event.at = machine.stalledUntil;
        this.#queue.push(event);
        continue;
      }
      this.events++;
      this.machine = machine;
      run();
      if (machine === undefined) continue;
      await settle();
      this.machine = undefined;
      if (!goesOn()) return;
    }
    this.now = moment;
  }

  /** What is still to happen on machines that live. */
  get left(): readonly Event[] {
    return this.#queue.left.filter(({ machine }) => machine !== undefined && !machine.isDead);
  }

  /** Replaces the timers, clocks and random numbers of the platform until the function that it returns is called. */
  install(): () => void {
    const names = ["setTimeout", "clearTimeout", "setImmediate"] as const;
    const real = names.map((name) => globalThis[name]);
    const { random } = Math;
    Object.assign(globalThis, {
      setTimeout: (run: () => void, ms?: number) => this.#timer(run, ms),
      clearTimeout: (timer: { event: Event } | undefined) => {
        if (timer !== undefined) timer.event.isCancelled = true;
      },
      setImmediate: (run: () => void) => this.#push(this.now, IMMEDIATE, this.machine, run),
    });
    // In front of that of the prototype, as those who keep the object look it up there.
    Object.defineProperty(performance, "now", { configurable: true, value: () => this.#performanceNow() });
    Math.random = () => this.#random.next();
    return () => {
      names.forEach((name, i) => void Object.assign(globalThis, { [name]: real[i] }));
      Reflect.deleteProperty(performance, "now");
      Math.random = random;
    };
  }

  #performanceNow(): number {
    return this.now + (this.machine?.aheadMs ?? 0);
  }

  /** As Node's: whole milliseconds, which may end up to one early. */
  #timer(run: () => void, ms = 1): object {
    const whole = ms >= 1 && ms < 2 ** 31 ? Math.trunc(ms) : 1;
    const earlyMs = this.#random.chance(0.2) ? this.#random.int(0, 3) * STEP_MS : 0;
    const timer = {
      event: this.#push(this.now + whole - earlyMs, TIMER, this.machine, run),
      unref: () => timer,
    };
    return timer;
  }

  #push(at: number, kind: number, machine: Machine | undefined, run: () => void): Event {
    const order = this.#order++;
    const event = { at, dueAt: at, kind, order, machine, run, isCancelled: false };
    this.#queue.push(event);
    return event;
  }
}
