import type { Booking, Limiter } from "../../src/algorithms/limiter.js";
import type { SemaphoreRequest, SemaphoreRules } from "../../src/semaphore/state.js";
import type { StoreStatus } from "../../src/stores/status.js";
import type { Answer, Arrangement, Store } from "../../src/stores/store.js";
import type { SimulatedClient } from "./simulated-client.js";
import type { Machine } from "./virtual-time.js";
import { type Waiting, WaitingLine } from "./waiting-line.js";
import { lastMomentFor, type World } from "./world.js";

/** What was asked of a store, and what came of it. */
export interface Asked {
  readonly line: WaitingLine;
  readonly cost: number;
  readonly maxWaitMs: number;
  answer?: Answer;
  answeredAt?: number;
  /** When it was decided, on the line of the server; of a call that waits, for when. */
  moment?: number;
  /** The place in line of whoever asked. */
  waiting?: Waiting;
  /** Who asked does not wait for the answer any more. */
  isOver: boolean;
  /** The same question to the store that answered in place of this one, if one did. */
  decided?: Asked;
}

/** What an answer is the answer to; it stays with the answer when another store hands it on. */
const ASKED = Symbol("asked");

/** A store as its callers see it, each of whose calls is looked at: it must settle in time, and pass only what was decided. */
export class WatchedStore implements Store {
  readonly name: string;
  readonly sync: boolean;
  readonly lines = new Map<string, WaitingLine>();
  /** Answers that did not come yet. */
  readonly pending = new Set<Asked>();
  readonly #world: World;
  readonly #machine: Machine;
  readonly #store: Store;
  readonly #deadlineMs: number;
  readonly #client: SimulatedClient | undefined;
  /** Places that this store booked. */
  readonly #bookings = new WeakSet<Booking>();
  #log: Asked[] = [];

  /** @param client that of a store on the server, whose word every pass needs. */
  constructor(world: World, machine: Machine, store: Store, deadlineMs: number, client?: SimulatedClient) {
    this.#world = world;
    this.#machine = machine;
    this.#store = store;
    this.#deadlineMs = deadlineMs;
    this.#client = client;
    this.name = store.name;
    this.sync = store.sync;
  }

  line(limiter: Limiter, key: string): WaitingLine {
    const name = `${limiter.id} ${key}`;
    let line = this.lines.get(name);
    if (line === undefined) {
      line = new WaitingLine(this.#world, this.#machine, `${this.#machine.name} ${this.name} ${name}`);
      this.lines.set(name, line);
    }
    return line;
  }

  /** What `make` asks before it returns. */
  askedBy(make: () => void): readonly Asked[] {
    this.#log = [];
    make();
    return this.#log;
  }

  decide(
    limiter: Limiter,
    key: string,
    cost: number,
    maxWaitMs: number,
    booking?: Booking,
  ): Answer | Promise<Answer> {
    const line = this.line(limiter, key);
    const asked: Asked = { line, cost, maxWaitMs, isOver: false };
    this.#log.push(asked);
    if (cost < 0) line.giveBack(-cost);
    if (booking !== undefined && !this.#bookings.has(booking)) {
      this.#world.fail(`${line.name}: a place is given back that it never booked`);
    }
    const answer = this.#store.decide(limiter, key, cost, maxWaitMs, booking);
    if (!("then" in answer)) return this.#answered(asked, answer);
    this.pending.add(asked);
    return this.#inTime("decide", answer).then(
      (each) => this.#answered(asked, each),
      (error) => {
        this.pending.delete(asked);
        line.isUnsure = true;
        throw error;
      },
    );
  }

  arrange(
    key: string,
    rules: SemaphoreRules,
    request?: SemaphoreRequest,
  ): Arrangement | Promise<Arrangement> {
    const answer = this.#store.arrange!(key, rules, request);
    return "then" in answer ? this.#inTime("arrange", answer) : answer;
  }

  reset(limiter: Limiter, key: string): void | Promise<void> {
    const done = this.#store.reset(limiter, key);
    this.line(limiter, key).reset();
    return done && this.#inTime("reset", done);
  }

  status(): Promise<StoreStatus> {
    return this.#inTime("status", this.#store.status!() as Promise<StoreStatus>);
  }

  async close(): Promise<void> {
    await this.#inTime("close", this.#store.close!() as Promise<void>, 1_000);
  }

  #answered(asked: Asked, answer: Answer): Answer {
    const { line, cost, maxWaitMs } = asked;
    const { booking } = answer;
    this.pending.delete(asked);
    asked.answer = answer;
    if (booking !== undefined && answer.by === undefined) this.#bookings.add(booking);
    asked.answeredAt = this.#world.time.now;
    asked.decided = answer.by === undefined ? asked : (answer as { [ASKED]?: Asked })[ASKED]!;
    // A fallback corrects what the server may have charged.
    const corrects = cost < 0 || maxWaitMs >= Number.MAX_SAFE_INTEGER;
    if (corrects && asked.decided !== asked) asked.decided.line.isUnsure = true;
    if (answer.source !== "store") line.isUnsure = true;
    else if (cost > 0 && !answer.limited) {
      const waitMs = booking?.waitMs ?? 0;
      line.charged += cost;
      line.book(cost, waitMs);
      asked.moment = this.#momentOf(line) + waitMs;
    }
    // A fallback is not asked by those who wait, and a room that books anew does not wait.
    const waits = booking !== undefined && this.#client !== undefined && maxWaitMs < Number.MAX_SAFE_INTEGER;
    if (waits && !asked.isOver) asked.waiting = asked.decided.line.enter(cost, booking.waitMs);
    return { ...answer, [ASKED]: asked } as Answer;
  }

  /** When the answer was decided that is just heard. */
  #momentOf({ name }: WaitingLine): number {
    if (this.#client === undefined) return Math.floor(this.#world.time.now);
    const { heard } = this.#client;
    if (heard?.event === this.#world.time.events) return heard.moment;
    this.#world.fail(`${name}: a call passes without the word of the server`);
    return 0;
  }

  /** Whether a promise settles within the deadline. */
  #inTime<T>(what: string, settled: Promise<T>, moreMs = 0): Promise<T> {
    const { time } = this.#world;
    const startedAt = time.now;
    const check = (): void => {
      const last = lastMomentFor(this.#machine, startedAt + this.#deadlineMs + moreMs, startedAt);
      if (time.now > last) this.#world.fail(`${this.#machine.name}: ${what} took ${time.now - startedAt} ms`);
    };
    return settled.then(
      (value) => {
        check();
        return value;
      },
      (error) => {
        check();
        throw error;
      },
    );
  }
}
