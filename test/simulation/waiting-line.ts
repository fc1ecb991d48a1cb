import type { Machine } from "./virtual-time.js";
import { lastMomentFor, type World } from "./world.js";

/** How far apart the same moment may seem to two calls, as answers take their time. */
const SLACK_MS = 25;

/** A call that was told to wait. */
export interface Waiting {
  readonly cost: number;
  readonly arrivedAt: number;
  /** The moment that was booked for it. */
  readonly moment: number;
  /** When it has to go at the latest: with those before it. */
  readonly dueAt: number;
  /** What had been given back before it came. */
  readonly freedBefore: number;
}

/** What a process charged, booked and gave back for a key, and who waits for it there: nobody goes early, late or out of turn. */
export class WaitingLine {
  readonly name: string;
  /** Units that the store charged, less what was given back. */
  charged = 0;
  /** Units that callers have, less what they gave back. */
  had = 0;
  /** How often the key was reset here. */
  resets = 0;
  /** Units for which others waited whenever it was: they keep their moments. */
  waitedAtResets = 0;
  /** Whether it is unknown what was charged, as an answer was lost. */
  isUnsure = false;
  readonly waiting: Waiting[] = [];
  readonly #world: World;
  readonly #machine: Machine;
  readonly #places: { readonly moment: number; readonly units: number }[] = [];
  #gone = 0;
  /** Units that were given back in all. */
  #freed = 0;
  #dueAt = Number.NEGATIVE_INFINITY;
  /** Whether there is more than one room, as somebody was told to wait for less than those before. */
  #isSplit = false;

  constructor(world: World, machine: Machine, name: string) {
    this.#world = world;
    this.#machine = machine;
    this.name = name;
  }

  /** A place was booked. */
  book(units: number, waitMs: number): void {
    this.#places.push({ moment: this.#world.time.now + waitMs, units });
  }

  get freed(): number {
    return this.#freed;
  }

  reset(): void {
    this.resets++;
    for (const { cost } of this.waiting) this.waitedAtResets += cost;
  }

  giveBack(units: number): void {
    this.#freed += units;
    this.charged -= units;
  }

  enter(cost: number, waitMs: number): Waiting {
    const { now } = this.#world.time;
    const moment = now + waitMs;
    if (this.waiting.length === 0) {
      this.#dueAt = moment;
      this.#isSplit = false;
    }
    if (moment < this.#dueAt - SLACK_MS) this.#isSplit = true;
    this.#dueAt = Math.max(this.#dueAt, moment);
    const waiting = { cost, arrivedAt: now, moment, dueAt: this.#dueAt, freedBefore: this.#freed };
    this.waiting.push(waiting);
    return waiting;
  }

  /** It does not wait any more, as it was let go or gave up. */
  leave(waiting: Waiting, isLetGo: boolean): void {
    const index = this.waiting.indexOf(waiting);
    this.waiting.splice(index, 1);
    if (!isLetGo) return;
    const { now } = this.#world.time;
    const { cost, arrivedAt, moment, dueAt, freedBefore } = waiting;
    const say = (problem: string): void => this.#world.fail(`${this.name}: a call that waited ${problem}`);
    this.#gone += cost;
    if (now < moment && this.#freed === freedBefore) say(`went ${moment - now} ms before its moment`);
    // A timer ends on a whole millisecond.
    if (now >= lastMomentFor(this.#machine, dueAt, arrivedAt) + 1)
      say(`went ${now - dueAt} ms after its moment`);
    if (index > 0 && !this.#isSplit) this.#expectToLeave(this.waiting.slice(0, index));
    let ready = this.#freed;
    for (const place of this.#places) if (place.moment <= now) ready += place.units;
    if (this.#gone > ready) say(`took ${this.#gone - ready} units that nobody had booked`);
  }

  /** Those before somebody who was let go have to be as well: some promises take a little longer. */
  #expectToLeave(before: readonly Waiting[]): void {
    this.#world.afterTurn(() => {
      if (before.some((each) => this.waiting.includes(each))) {
        this.#world.fail(`${this.name}: a call that waited overtook others`);
      }
    });
  }
}
