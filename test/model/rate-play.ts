import { Limiter, type Store } from "../../src/index.js";
import type { Play, Side, Table } from "./game.js";
import { type ModelAnswer, type ModelBooking, ModelKey } from "./model-key.js";
import type { Random } from "./random.js";
import type { RateSetup, RateStep } from "./rate-program.js";
import { type KeySeen, randomRateStep } from "./rate-steps.js";
import { answersTo, differenceOf, type Place } from "./rate-turn.js";

interface Key extends KeySeen {
  readonly name: string;
  readonly limiter: Limiter;
  readonly model: ModelKey;
  readonly places: Place[];
  last: KeySeen["last"];
  /** How long a server has to keep its record, and when that was said by the clock of this process. */
  kept: { readonly ms: number; readonly since: number } | undefined;
}

/** A call of this turn of the event loop, which the model has answered already. */
interface Asked {
  readonly step: RateStep;
  readonly cost: number;
  readonly maxWaitMs: number;
  readonly expected: ModelAnswer;
  readonly booked: ModelBooking | undefined;
  readonly cancelled: Place | undefined;
}

/** By how much longer a server keeps a record that goes by a clock that is not its own. */
const GRACE_MS = 3_600_000;

const CALLS: readonly RateStep["kind"][] = ["call", "charge", "refund"];

/** Calls on a few keys, of the model and on all sides. */
export class RatePlay implements Play<RateStep> {
  readonly #setup: RateSetup;
  readonly #table: Table;
  readonly #keys: readonly Key[];
  readonly #sides: readonly { readonly side: Side; readonly stores: readonly Store[] }[];
  #turn: Asked[] = [];

  constructor(setup: RateSetup, table: Table) {
    this.#setup = setup;
    this.#table = table;
    table.clock.set(setup.startMs);
    const limiters = setup.limiters.map(({ using, quotas }) => new Limiter(using, quotas));
    const unique = table.unique();
    this.#keys = setup.keys.map(({ limiter, name }) => {
      const { using, quotas } = setup.limiters[limiter]!;
      const model = new ModelKey(using, quotas);
      const key = { name: unique + name, limiter: limiters[limiter]!, quotas, model, places: [] };
      return { ...key, last: undefined, kept: undefined };
    });
    this.#sides = table.sides.map((side) => {
      // If the clock is set back, each key is in a memory of its own: others would drop it at some moment when it is fresh.
      const isApart = setup.setsBack && side.name === "memory";
      const shared = isApart ? undefined : side.open(setup.maxSize);
      return { side, stores: setup.keys.map(() => shared ?? side.open(setup.maxSize)) };
    });
  }

  next(random: Random): RateStep {
    const key = random.between(0, this.#keys.length - 1);
    const { setsBack } = this.#setup;
    const joins = this.#turn.length > 0;
    return randomRateStep(random, key, this.#keys[key]!, this.#table.clock.now(), { setsBack, joins });
  }

  async take(step: RateStep): Promise<string | undefined> {
    const { kind, pauseMs } = step;
    const joins = pauseMs === undefined && CALLS.includes(kind);
    const difference = joins ? undefined : await this.#endTurn();
    if (difference !== undefined) return difference;
    const { clock } = this.#table;
    if (pauseMs !== undefined) clock.set(Math.max(0, clock.now() + pauseMs));
    const key = this.#keys[step.key]!;
    if (kind === "look") return this.#look(key, step);
    if (kind === "reset" || kind === "expire") return this.#drop(step);
    if (kind !== "cancel" || key.places.length > 0) this.#ask(key, step);
    return undefined;
  }

  async end(): Promise<string | undefined> {
    const difference = await this.#endTurn();
    for (const i of this.#keys.keys()) await this.#reset(i);
    return difference;
  }

  #ask(key: Key, step: RateStep): void {
    const { kind, place = 0 } = step;
    const { places, model } = key;
    const [cancelled] = kind === "cancel" ? places.splice(-1 - (place % places.length), 1) : [];
    const units = cancelled?.cost ?? step.cost ?? 1;
    const cost = kind === "refund" || kind === "cancel" ? -units : units;
    const maxWaitMs = kind === "charge" ? Number.POSITIVE_INFINITY : (step.maxWaitMs ?? 0);
    const now = this.#table.clock.now();
    const { record } = model;
    const expected = model.decide(now, cost, maxWaitMs, cancelled?.ofModel);
    if (model.record !== record) key.kept = { ms: model.freshAfterMs(now), since: performance.now() };
    key.last = { at: now, cost: units, answer: expected };
    this.#turn.push({ step, cost, maxWaitMs, expected, booked: model.booked, cancelled });
  }

  /** Hears what the sides say to the calls of this turn, and compares each field of each. */
  async #endTurn(): Promise<string | undefined> {
    const turn = this.#turn;
    if (turn.length === 0) return undefined;
    this.#turn = [];
    const places = turn.map(({ cost, booked }): Place | undefined =>
      booked === undefined ? undefined : { cost, ofModel: booked, ofSides: [] },
    );
    for (const [i, { side, stores }] of this.#sides.entries()) {
      const calls = turn.map(({ step, cost, maxWaitMs, cancelled }) => {
        const { limiter, name } = this.#keys[step.key]!;
        return { store: stores[step.key]!, limiter, name, cost, maxWaitMs, booking: cancelled?.ofSides[i] };
      });
      for (const [j, answer] of (await answersTo(calls)).entries()) {
        const { step, expected } = turn[j]!;
        const difference = differenceOf(expected, answer);
        if (difference !== undefined) return `${side.name}, ${JSON.stringify(step)}\n${difference}`;
        places[j]?.ofSides.push(answer.booking);
      }
    }
    for (const [j, { step }] of turn.entries()) {
      if (places[j] !== undefined) this.#keys[step.key]!.places.push(places[j]);
    }
    return undefined;
  }

  /** Drops the record of a key: of the model only if it was not to be noticed. */
  async #drop({ kind, key }: RateStep): Promise<undefined> {
    const { model } = this.#keys[key]!;
    const isFresh = model.freshAfterMs(this.#table.clock.now()) === 0;
    if (kind === "expire" && (this.#setup.setsBack || !isFresh)) return;
    if (kind === "reset") model.forget();
    this.#keys[key]!.kept = undefined;
    await this.#reset(key);
  }

  async #reset(key: number): Promise<void> {
    const { limiter, name } = this.#keys[key]!;
    for (const { stores } of this.#sides) await stores[key]!.reset(limiter, name);
  }

  /** Looks whether a server keeps the record for as long as it has to be kept. */
  async #look({ name, limiter, kept }: Key, step: RateStep): Promise<string | undefined> {
    for (const { side } of this.#sides) {
      const ttlMs = await side.ttlMs?.(limiter, name);
      if (ttlMs === undefined) continue;
      const most = kept === undefined || kept.ms === 0 ? -1 : kept.ms + GRACE_MS;
      const least = most < 0 ? -2 : most - Math.ceil(performance.now() - kept!.since) - 1;
      if (ttlMs >= least && ttlMs <= most) continue;
      return `${side.name}, ${JSON.stringify(step)}\nmodel: kept for ${least} to ${most} ms\nstore: ${ttlMs} ms`;
    }
    return undefined;
  }
}
