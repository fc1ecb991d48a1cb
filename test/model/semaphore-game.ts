import { isDeepStrictEqual } from "node:util";
import type { SemaphoreRequest, Store } from "../../src/index.js";
import type { Game, Play, Side, Table } from "./game.js";
import { ModelSemaphore, type News } from "./model-semaphore.js";
import type { Random } from "./random.js";

/** What a program on a semaphore is about. */
export interface SemaphoreSetup {
  readonly startMs: number;
  readonly capacity: number;
  /** What each of those who ask wants, and for how long. */
  readonly members: readonly { readonly permits: number; readonly leaseMs: number }[];
}

/** What one of them asks, or somebody else by a peek. */
export interface SemaphoreStep {
  readonly act: SemaphoreRequest["act"] | "peek" | "look";
  readonly member: number;
  /** Below 0 the clock is set back. */
  readonly pauseMs: number;
  readonly capacity: number;
  readonly maxWaiting: number;
}

const DAY_MS = 86_400_000;
/** For so long the last token is kept. */
const GRACE_MS = 3_600_000;
const ACTS = { acquire: 20, wait: 35, renew: 12, release: 25, peek: 7, look: 1 } as const;

/** Programs on a semaphore. */
export const SEMAPHORE_GAME: Game<SemaphoreSetup, SemaphoreStep> = {
  setup: (random) => {
    const capacity = random.percent(70) ? random.between(1, 5) : random.upTo(2 ** 40);
    const leaseMs = (): number =>
      random.percent(70) ? random.between(100, 2_000) : random.between(100, 24 * DAY_MS);
    const permits = (): number => (random.percent(40) ? 1 : random.upTo(capacity + 1));
    const members = Array.from({ length: random.between(1, 12) }, () => ({
      permits: permits(),
      leaseMs: leaseMs(),
    }));
    return { startMs: 1_700_000_000_000 + random.between(0, 1_000), capacity, members };
  },
  begin: (setup, table) => new SemaphorePlay(setup, table),
  *simpler(step) {
    if (step.pauseMs !== 0) yield { ...step, pauseMs: 0 };
    if (Math.abs(step.pauseMs) > 1) yield { ...step, pauseMs: Math.trunc(step.pauseMs / 2) };
    if (step.act === "peek") return;
    yield { ...step, act: "peek" };
    if (step.member > 0) yield { ...step, member: 0 };
  },
};

interface Seat {
  readonly side: Side;
  readonly store: Store;
  told: News[];
}

class SemaphorePlay implements Play<SemaphoreStep> {
  readonly #setup: SemaphoreSetup;
  readonly #table: Table;
  readonly #model = new ModelSemaphore();
  readonly #seats: readonly Seat[];
  readonly #key: string;
  readonly #begun = performance.now();

  constructor(setup: SemaphoreSetup, table: Table) {
    this.#setup = setup;
    this.#table = table;
    this.#seats = table.sides.map((side) => ({ side, store: side.open(), told: [] }));
    this.#key = `${table.unique()}é/:{semaphore}`;
    table.clock.set(setup.startMs);
  }

  next(random: Random): SemaphoreStep {
    const { capacity, members } = this.#setup;
    const now = this.#table.clock.now();
    const pauseMs = {
      none: () => 0,
      some: () => random.between(1, 700),
      end: () => Math.max(0, this.#model.lastEnd - now + random.between(-1, 1)),
      back: () => -random.upTo(2_000),
      days: () => random.between(-1, 1) * DAY_MS,
    }[random.weighted({ none: 60, some: 25, end: 6, back: 8, days: 1 })]();
    return {
      act: random.weighted(ACTS),
      member: random.between(0, members.length - 1),
      pauseMs,
      capacity: random.percent(85) ? capacity : random.upTo(capacity + 2),
      maxWaiting: random.percent(85) ? 100 : random.between(0, 3),
    };
  }

  async take({ act, member, pauseMs, capacity, maxWaiting }: SemaphoreStep): Promise<string | undefined> {
    const { clock } = this.#table;
    clock.set(Math.max(0, clock.now() + pauseMs));
    if (act === "look") return this.#look();
    const id = `member ${member}`;
    const request = act === "peek" ? undefined : { act, id, ...this.#setup.members[member]! };
    const rules = { capacity, maxWaiting };
    const expected = this.#model.arrange(clock.now(), rules, request);
    for (const seat of this.#seats) {
      seat.told = [];
      const onNews: SemaphoreRequest["onNews"] = (news) => {
        if (news && "status" in news) seat.told.push([id, news.status as News[1], news.token]);
      };
      const answer = await seat.store.arrange!(this.#key, rules, request && { ...request, onNews });
      if (isDeepStrictEqual([answer, seat.told], [expected, this.#model.news])) continue;
      const model = JSON.stringify([expected, this.#model.news]);
      return `${seat.side.name}, ${act} of ${id}\nmodel: ${model}\nstore: ${JSON.stringify([answer, seat.told])}`;
    }
    return undefined;
  }

  async end(): Promise<undefined> {
    const requests = this.#setup.members.map(
      (terms, i) => ({ act: "release", id: `member ${i}`, ...terms }) as const,
    );
    for (const { store } of this.#seats) {
      await Promise.all(
        requests.map((request) => store.arrange!(this.#key, { capacity: 1, maxWaiting: 0 }, request)),
      );
    }
  }

  /** Looks whether a server keeps the last token for as long as the clock might still be set back. */
  async #look(): Promise<string | undefined> {
    for (const { side } of this.#seats) {
      const ttlMs = await side.ttlMs?.(undefined, this.#key);
      const leastMs = GRACE_MS - Math.ceil(performance.now() - this.#begun) - 1;
      if (ttlMs === undefined || (this.#model.isKnown ? ttlMs >= leastMs : ttlMs === -2)) continue;
      return `${side.name}, look\nmodel: kept for ${this.#model.isKnown ? leastMs : -2} ms or more\nstore: ${ttlMs} ms`;
    }
    return undefined;
  }
}
