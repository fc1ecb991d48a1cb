import { expect } from "vitest";
import { type AlgorithmName, type Booking, type Decision, Limiter } from "../../src/algorithms/limiter.js";
import { SingleKey } from "../algorithms/single-key.js";
import type { Program, Step } from "./programs.js";

/** One step that was taken. */
export interface Taken {
  readonly step: Step;
  readonly now: number;
  readonly decision: Decision;
}

/** Two keys answer the same from now on. */
export function expectAlike(one: SingleKey, other: SingleKey, later: readonly Step[]): void {
  expect(visible(one.peek())).toEqual(visible(other.peek()));
  for (const { pauseMs, cost, maxWaitMs } of later) {
    one.now += pauseMs;
    other.now += pauseMs;
    expect(visible(one.decide(cost, maxWaitMs))).toEqual(visible(other.decide(cost, maxWaitMs)));
  }
}

interface Place {
  readonly taken: Taken;
  readonly booking: Booking;
}

/** A key that a program happens to. */
export class Player {
  readonly key: SingleKey;
  readonly taken: Taken[] = [];
  /** The bookings that were given back before their moment. */
  readonly cancelled = new Set<Taken>();
  /** How many units were given back in all. */
  givenBack = 0;
  readonly #places: Place[] = [];

  constructor(using: AlgorithmName, { quotas, startMs }: Omit<Program, "steps">) {
    this.key = new SingleKey(new Limiter(using, quotas), startMs);
  }

  take(step: Step): Decision {
    this.key.now = Math.max(0, this.key.now + step.pauseMs);
    const decision =
      step.cancel === undefined ? this.key.decide(step.cost, step.maxWaitMs) : this.#cancel(step.cancel);
    const taken = { step, now: this.key.now, decision };
    this.taken.push(taken);
    this.givenBack += Math.max(-step.cost, 0);
    if (decision.booking !== undefined) this.#places.push({ taken, booking: decision.booking });
    return decision;
  }

  #cancel(fromLast: number): Decision {
    const [place] = this.#places.splice(-1 - (fromLast % this.#places.length), 1);
    if (place === undefined) return this.key.peek();
    const { taken, booking } = place;
    if (this.key.now < taken.now + booking.waitMs) this.cancelled.add(taken);
    this.givenBack += taken.step.cost;
    return this.key.decide(-taken.step.cost, 0, booking);
  }
}

/** A fresh key after a whole program. */
export function play(using: AlgorithmName, program: Program): Player {
  const player = new Player(using, program);
  for (const step of program.steps) player.take(step);
  return player;
}

/** What a caller sees of a decision; the records of a booking are the store's own. */
export function visible({ booking, ...result }: Decision): Omit<Decision, "booking"> & { waitMs?: number } {
  return booking === undefined ? result : { ...result, waitMs: booking.waitMs };
}
