import type { Limiter } from "../../src/algorithms/limiter.js";
import type { Permit, Throttled } from "../../src/index.js";
import type { Calls, Ended, Terms } from "./calls.js";
import type { Grants } from "./grants.js";
import type { Program } from "./program.js";
import type { Random } from "./random.js";
import { StopSignal } from "./stop-signal.js";
import type { Asked, WatchedStore } from "./watched-store.js";
import type { World } from "./world.js";

/** The keys of limiters. */
export const KEYS = ["a", "b"];

/** One call of a limiter. */
interface Call {
  readonly program: Program;
  readonly throttle: Throttled<WatchedStore>;
  readonly limiter: Limiter;
  readonly key: string;
  readonly cost: number;
  readonly timeout: number;
  readonly signal: StopSignal | undefined;
}

/** Makes calls of limiters, and follows what becomes of them. */
export class LimiterCalls {
  readonly signals: StopSignal[] = [];
  readonly #limiters: readonly Limiter[];
  readonly #world: World;
  readonly #random: Random;
  readonly #calls: Calls;
  readonly #grants: Grants;

  constructor(world: World, limiters: readonly Limiter[], random: Random, calls: Calls, grants: Grants) {
    this.#world = world;
    this.#random = random;
    this.#calls = calls;
    this.#grants = grants;
    this.#limiters = limiters;
  }

  /** Makes some call of a process. */
  make(program: Program): void {
    const random = this.#random;
    const index = random.int(0, program.throttles.length - 1);
    const call: Call = {
      program,
      throttle: program.throttles[index]!,
      limiter: this.#limiters[index]!,
      key: random.pick(KEYS),
      cost: random.pick([0, 1, 1, 1, 1, 2, 3]),
      timeout: random.pick([0, 0, 0, 100, 500, 2_000]),
      signal: random.chance(0.2) ? this.#signal(program) : undefined,
    };
    const kind = random.int(1, 100);
    if (kind <= 60) void this.#limit(call);
    else if (kind <= 75) void this.#acquire(call);
    else if (kind <= 83) void this.#refund(call);
    else if (kind <= 90) void this.#peek(call);
    else if (kind <= 97) void this.#limitMany(call);
    else void this.#reset(call);
  }

  /** Asks the server, which has to answer. */
  async probe(program: Program): Promise<void> {
    const ask = () => program.throttles[0]!.limit(KEYS[0], 0);
    const end = await this.#quick(program, "probe", ask);
    if ("value" in end && end.value.source === "store") return;
    this.#world.fail(`${program.machine.name} does not get through to a server that is back`);
  }

  async #limit(call: Call): Promise<void> {
    const { throttle, key, cost, timeout, signal } = call;
    const { end, asked } = await this.#follow(call, "limit", () =>
      throttle.limit(key, { cost, timeout, signal }),
    );
    if ("value" in end && !end.value.limited) this.#got(call, asked!);
  }

  async #acquire(call: Call): Promise<void> {
    const { program, throttle, key, cost, timeout, signal } = call;
    const acquire = (): Promise<Permit> => throttle.acquire(key, { cost, timeout, signal });
    const { end, asked } = await this.#follow(call, "acquire", acquire);
    if (!("value" in end)) return;
    this.#got(call, asked!);
    const actual = this.#random.pick([0, cost, cost + 1]);
    const { time } = this.#world;
    time.at(time.now + this.#random.pick([0, 1, 50, 300]), program.machine, () => {
      if (asked!.answer!.source !== "policy") asked!.decided!.line.had += actual - cost;
      void this.#quick(program, `settle ${key} ${actual}`, () => end.value.settle(actual));
    });
  }

  async #refund({ program, throttle, limiter, key, cost }: Call): Promise<void> {
    program.store.line(limiter, key).had -= cost;
    await this.#quick(program, `refund ${limiter.id} ${key} ${cost}`, () => throttle.refund(key, cost));
  }

  async #peek({ program, throttle, limiter, key }: Call): Promise<void> {
    await this.#quick(program, `peek ${limiter.id} ${key}`, () => throttle.peek(key));
  }

  async #reset({ program, throttle, limiter, key }: Call): Promise<void> {
    await this.#quick(program, `reset ${limiter.id} ${key}`, () => throttle.reset(key));
  }

  async #limitMany(call: Call): Promise<void> {
    const { program, throttle, limiter, cost } = call;
    const requests = KEYS.flatMap((key) => [
      { key, cost },
      { key, cost: 1 },
    ]);
    let asked: readonly Asked[] = [];
    const end = await this.#quick(program, `limit many ${limiter.id} ${cost}`, () => {
      let many: ReturnType<typeof throttle.limitMany>;
      asked = program.store.askedBy(() => {
        many = throttle.limitMany(requests);
      });
      return many!;
    });
    if ("error" in end) for (const { line } of asked) line.isUnsure = true;
    else {
      for (const [i, { limited }] of end.value.entries()) {
        if (!limited) this.#got({ ...call, ...requests[i]! }, asked[i]!);
      }
    }
  }

  /** Makes a call that may wait. */
  async #follow<T>(
    call: Call,
    what: string,
    make: () => Promise<T>,
  ): Promise<{ end: Ended<T>; asked: Asked | undefined }> {
    const { program, limiter, key, cost, timeout, signal } = call;
    const startedAt = this.#world.time.now;
    let asked: Asked | undefined;
    const dueAt = (): number =>
      asked?.waiting?.dueAt ?? asked?.answeredAt ?? startedAt + program.plan.deadlineMs;
    const text = `${what} ${limiter.id} ${key} cost ${cost} timeout ${timeout}${signal ? " signal" : ""}`;
    const end = await this.#calls.make(program, text, { dueAt, hasPolicy: true, signal }, () => {
      let made: Promise<T>;
      [asked] = program.store.askedBy(() => {
        made = make();
      });
      return made!;
    });
    if (asked === undefined) return { end, asked };
    asked.isOver = true;
    const isLetGo = "value" in end && (end.value as { limited?: boolean }).limited !== true;
    if (asked.waiting) asked.decided!.line.leave(asked.waiting, isLetGo);
    return { end, asked };
  }

  /** Makes a call that does not wait. */
  #quick<T>(program: Program, what: string, make: () => Promise<T>): Promise<Ended<T>> {
    const due = this.#world.time.now + program.plan.deadlineMs;
    const terms: Terms = { dueAt: () => due, hasPolicy: true };
    return this.#calls.make(program, what, terms, make);
  }

  /** A caller has what it asked for, from whoever decided. */
  #got({ program, limiter, key, cost }: Call, asked: Asked): void {
    const { decided, answer } = asked;
    if (answer!.source === "policy" || cost === 0) return;
    const isFallback = decided !== asked;
    decided!.line.had += cost;
    const now = isFallback ? Math.floor(this.#world.time.now) : this.#world.network.moment;
    // Who moved up goes before the moment that was booked for it.
    const moment = asked.waiting ? Math.min(decided!.moment!, now) : decided!.moment!;
    this.#grants.add(limiter, key, isFallback ? program : undefined, cost, moment);
  }

  #signal(program: Program): StopSignal {
    const signal = new StopSignal(program.machine);
    const { time } = this.#world;
    const isIdle = this.#random.chance(0.3);
    if (!isIdle)
      time.at(time.now + this.#random.pick([0, 1, 20, 100, 400]), program.machine, () => {
        this.#world.note(() => `${program.machine.name} aborts`);
        signal.abort(time.now);
      });
    this.signals.push(signal);
    return signal;
  }
}
