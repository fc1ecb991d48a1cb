import { Limiter, type MemoryStore } from "../../src/index.js";
import type { FullStoreSetup, FullStoreStep } from "./full-store-game.js";
import type { Play, Table } from "./game.js";
import { ModelKey } from "./model-key.js";
import type { Random } from "./random.js";
import { differenceOf } from "./rate-turn.js";

/** So many keys are weighed when one has to be forgotten. */
export const WEIGHED = 8;

/** What became of a key since it came in: it was not called again, it was, or it was refused when it last was. */
type Mark = 0 | 1 | 2;

interface Key {
  readonly name: string;
  readonly model: ModelKey;
  mark: Mark;
}

/** Calls on a store that is too small: what it forgets has to be what matters least. */
export class FullStorePlay implements Play<FullStoreStep> {
  readonly #setup: FullStoreSetup;
  readonly #table: Table;
  readonly #limiter: Limiter;
  readonly #store: MemoryStore;
  readonly #keys: readonly Key[];

  constructor(setup: FullStoreSetup, table: Table) {
    this.#setup = setup;
    this.#table = table;
    table.clock.set(setup.startMs);
    this.#limiter = new Limiter(setup.using, [setup.quota]);
    const memory = table.sides.find(({ name }) => name === "memory")!;
    this.#store = memory.open(setup.maxSize) as MemoryStore;
    this.#keys = Array.from({ length: setup.keys }, (_, i) => ({
      name: `key ${i}`,
      model: new ModelKey(setup.using, [setup.quota]),
      mark: 0,
    }));
  }

  next(random: Random): FullStoreStep {
    const { quota, keys } = this.#setup;
    const { limit, periodMs, burst } = quota;
    const pauseMs = {
      none: () => 0,
      unit: () => random.between(0, 2 * Math.ceil(periodMs / limit)),
      period: () => random.between(0, periodMs),
      refill: () => Math.ceil((burst * periodMs) / limit),
    }[random.weighted({ none: 80, unit: 14, period: 5, refill: 1 })]();
    return {
      kind: random.weighted({ call: 85, charge: 6, refund: 6, reset: 3 }),
      key: random.between(0, keys - 1),
      pauseMs: Math.min(pauseMs, 2 ** 51 - this.#table.clock.now()),
      // Keys that are used up are alike, and then it counts what else became of them.
      cost: { one: 1, some: random.upTo(burst + 1), all: burst }[
        random.weighted({ one: 40, some: 20, all: 40 })
      ],
      maxWaitMs: random.percent(15) ? random.upTo(2 * periodMs) : 0,
    };
  }

  async take(step: FullStoreStep): Promise<string | undefined> {
    this.#table.clock.advance(step.pauseMs);
    const key = this.#keys[step.key]!;
    const now = this.#table.clock.now();
    const isNew = key.model.freshAfterMs(now) === 0;
    if (isNew || step.kind === "reset") {
      // It may be there still, or have been swept. Now it certainly is not there.
      this.#store.reset(this.#limiter, key.name);
      key.model.forget();
    }
    const others = this.#live(now).filter((each) => each !== key);
    const difference = step.kind === "reset" ? undefined : this.#ask(key, step, isNew);
    if (difference !== undefined) return `memory, ${JSON.stringify(step)}\n${difference}`;
    const isAdded = isNew && key.model.freshAfterMs(now) > 0;
    const problem = this.#checkSize() ?? this.#checkForgotten(others, isAdded);
    return problem && `memory, ${JSON.stringify(step)}\n${problem}`;
  }

  async end(): Promise<undefined> {}

  /** The keys that say more than none. */
  #live(now: number): Key[] {
    return this.#keys.filter(({ model }) => model.freshAfterMs(now) > 0);
  }

  #ask(key: Key, { kind, cost: units, maxWaitMs }: FullStoreStep, isNew: boolean): string | undefined {
    const cost = kind === "refund" ? -units : units;
    const wait = kind === "charge" ? Number.POSITIVE_INFINITY : maxWaitMs;
    const expected = key.model.decide(this.#table.clock.now(), cost, wait);
    key.mark = isNew ? 0 : expected.limited ? 2 : 1;
    return differenceOf(expected, this.#store.decide(this.#limiter, key.name, cost, wait));
  }

  #checkSize(): string | undefined {
    const live = this.#live(this.#table.clock.now()).length;
    const { size } = this.#store;
    const { maxSize } = this.#setup;
    return size <= maxSize ? undefined : `model: at most ${maxSize} of ${live} keys\nstore: ${size} keys`;
  }

  /** Looks which of the other keys are fresh all of a sudden, and whether they may have been forgotten. */
  #checkForgotten(others: readonly Key[], isAdded: boolean): string | undefined {
    const now = this.#table.clock.now();
    const forgotten: Key[] = [];
    for (const key of others) {
      const answer = this.#store.decide(this.#limiter, key.name, 0, 0);
      const difference = differenceOf(key.model.decide(now, 0, 0), answer);
      if (difference === undefined) continue;
      const fresh = new ModelKey(this.#setup.using, [this.#setup.quota]).decide(now, 0, 0);
      if (differenceOf(fresh, answer) !== undefined) return `${key.name}, asked\n${difference}`;
      forgotten.push(key);
    }
    const problem = this.#problemOf(forgotten, others, isAdded);
    for (const { model } of forgotten) model.forget();
    return problem;
  }

  #problemOf(forgotten: readonly Key[], others: readonly Key[], isAdded: boolean): string | undefined {
    const { maxSize } = this.#setup;
    const names = forgotten.map(({ name }) => name).join(", ");
    const isFull = isAdded && others.length === maxSize;
    // Where more keys are there than are weighed, one may be forgotten although others are expired, and not swept yet.
    const mayForget = isAdded && (isFull || maxSize > WEIGHED);
    if (isFull && forgotten.length === 0) return "model: one key is forgotten\nstore: none";
    if (forgotten.length > (mayForget ? 1 : 0))
      return `model: ${mayForget ? 1 : 0} forgotten\nstore: ${names}`;
    const [key] = forgotten;
    if (key === undefined) return undefined;
    const weighed = others.filter((other) => other === key || this.#isNoLesser(other, key));
    if (weighed.length >= Math.min(WEIGHED, maxSize)) return undefined;
    return `model: others matter less\nstore: ${names} is forgotten`;
  }

  /** Whether it matters as much as the other that this one is kept, or more. */
  #isNoLesser(one: Key, other: Key): boolean {
    const now = this.#table.clock.now();
    const more = compareLeft(one.model, other.model, now);
    if (more !== 0n) return more < 0n;
    if (one.mark !== other.mark) return one.mark > other.mark;
    return one.model.record!.at <= other.model.record!.at;
  }
}

/** Above 0 if the first has more left. */
function compareLeft(one: ModelKey, other: ModelKey, now: number): bigint {
  return one.left(now)[0]! - other.left(now)[0]!;
}
