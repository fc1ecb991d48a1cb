import type { Lease } from "../../src/index.js";
import type { KeptLease } from "../../src/semaphore/lease.js";
import type { Plan } from "./plan.js";
import type { Program } from "./program.js";
import { type SemaphoreEntry, termsOf } from "./semaphore-emulation.js";
import type { World } from "./world.js";

/** Milliseconds within which what is not in order is put right, once nothing is in its way any more. */
export const MENDED_MS = 1_500;

/** What somebody was given. */
export interface Holding {
  readonly program: Program;
  readonly lease: Lease;
  /** When it was asked for. */
  readonly askedAt: number;
  readonly gotAt: number;
  isReleased: boolean;
  isLost: boolean;
}

export function semaphorePlace(key: string): string {
  return `throttled:semaphore:${key}`;
}

/** Who holds the permits of semaphores: as many as there are at most, by leases that end when they have to. */
export class WatchedLeases {
  readonly holdings: Holding[] = [];
  /** The largest capacity that anybody has gone by. */
  mostPermits: number;
  readonly leaseMs: number;
  /** Until when permits may be held twice, as a server forgot leases, or ended them early. */
  excusedUntil = Number.NEGATIVE_INFINITY;
  /** Whether a server has lost its memory and its time, so that tokens may start anew. */
  tokensMayFall = false;
  readonly #world: World;
  /** Since when something has not been in order. */
  readonly #since = new Map<string, number>();

  constructor(world: World, { capacity, leaseMs }: Plan) {
    this.#world = world;
    this.mostPermits = capacity;
    this.leaseMs = leaseMs;
  }

  get isAnyHeld(): boolean {
    return this.holdings.some(({ isReleased, program }) => !isReleased && !program.machine.isDead);
  }

  got(program: Program, lease: Lease, askedAt: number): Holding {
    const holding = {
      program,
      lease,
      askedAt,
      gotAt: this.#world.time.now,
      isReleased: false,
      isLost: false,
    };
    if (lease.token > 0 && !this.tokensMayFall) {
      for (const each of this.holdings) {
        if (each.lease.key !== lease.key || each.lease.token < lease.token || each.gotAt >= askedAt) continue;
        if (this.#isOnServer(each) && this.#isOnServer(holding)) {
          this.#world.fail(`token ${lease.token} of ${lease.key} came after ${each.lease.token}`);
        }
      }
    }
    this.holdings.push(holding);
    return holding;
  }

  /** Looks at everything, after each turn. */
  check(programs: readonly Program[], keys: readonly string[]): void {
    for (const key of keys) {
      if (this.holdings.length === 0 && this.#placesOf(key).length === 0) continue;
      const held = this.#liveOf(key).reduce((sum, { lease }) => sum + lease.permits, 0);
      if (held > this.mostPermits && this.#world.time.now > this.excusedUntil) {
        this.#world.fail(`${held} permits of ${key} are held, where there are ${this.mostPermits}`);
      }
      for (const program of programs) this.#checkMended(program, key);
      this.#checkLetIn(key, programs);
    }
    for (const each of this.holdings) if (!each.isReleased) this.#checkEnd(each);
  }

  #liveOf(key: string): Holding[] {
    const { time } = this.#world;
    return this.holdings.filter((each) => {
      const { lease, program, isReleased } = each;
      if (lease.key !== key || isReleased || program.machine.isDead || lease.signal.aborted) return false;
      return this.#isOnServer(each) && time.as(program.machine, () => lease.expiresInMs > 0);
    });
  }

  /** Not that of a fallback, whose tokens go by another clock, nor one of a policy. */
  #isOnServer({ lease, program }: Holding): boolean {
    return lease.token > 0 && !program.isOfFallback(lease);
  }

  /** Whoever holds a lease knows when it ends: not later than the server, and by a signal. */
  #checkEnd(holding: Holding): void {
    const { time, network } = this.#world;
    const { machine, isGone } = holding.program;
    const { key, signal, endsAt, token } = holding.lease as KeptLease;
    const say = (problem: string): void => this.#world.fail(`${machine.name}: a lease of ${key} ${problem}`);
    if (machine.isDead) return;
    if (signal.aborted) {
      const isWell = time.now > network.calmSince + 2 * this.leaseMs || network.calmSince === 0;
      if (isWell && !isGone && !holding.isLost) say("is lost though nothing is wrong");
      holding.isLost = true;
      return;
    }
    const end = endsAt - machine.aheadMs;
    const isAwake = time.now >= machine.stalledUntil + 1;
    if (isAwake && time.now > end + 1) say(`ended ${time.now - end} ms ago, and it does not know`);
    if (!this.#isOnServer(holding) || time.now >= end || time.now <= this.excusedUntil) return;
    const place = this.#placesOf(key).find((each) => each.token === token);
    const lastMs = place === undefined ? time.now : network.server.timeOf(place.endsAt);
    // The server counts whole milliseconds.
    if (end > lastMs + 1) say(`is believed in ${end - lastMs} ms longer than the server does`);
  }

  /** What the server takes for held has to be held, once it could be told of releases and could tell of what it gave. */
  #checkMended(program: Program, key: string): void {
    if (program.isGone || program.client.owner === undefined) return;
    const held = this.#placesOf(key).filter(
      ({ id, isHeld, endsAt }) =>
        isHeld && endsAt > this.#world.network.server.now && termsOf(id).owner === program.client.owner,
    );
    const known = this.holdings.filter(
      ({ program: of, lease, isReleased }) => of === program && lease.key === key && !isReleased,
    );
    const isGhost = this.#world.network.ghostsUntil > this.#world.time.now;
    this.#expectSoon(
      `${program.machine.name} ${key}`,
      held.length <= known.length || isGhost,
      () => `${program.machine.name} has ${held.length} places of ${key}, and knows of ${known.length}`,
    );
  }

  /** Who is next is let in soon after there is room. */
  #checkLetIn(key: string, programs: readonly Program[]): void {
    const { now } = this.#world.network.server;
    const live = this.#placesOf(key).filter(({ endsAt }) => endsAt > now);
    const first = live.find(({ isHeld }) => !isHeld);
    if (first === undefined) {
      this.#since.delete(key);
      return;
    }
    const inUse = live.reduce((sum, { id, isHeld }) => sum + (isHeld ? termsOf(id).permits : 0), 0);
    const owner = programs.find(({ client }) => client.owner === termsOf(first.id).owner);
    const isStuck = owner?.isGone === false && inUse + termsOf(first.id).permits <= owner.capacity;
    this.#expectSoon(key, !isStuck, () => `nobody lets in ${first.id} though there is room`);
  }

  #placesOf(key: string): SemaphoreEntry["places"] {
    const found = this.#world.network.server.find(semaphorePlace(key));
    return (found as SemaphoreEntry | undefined)?.places ?? [];
  }

  #expectSoon(what: string, isInOrder: boolean, problem: () => string): void {
    const { time, network } = this.#world;
    if (isInOrder) this.#since.delete(what);
    else {
      const since = Math.max(this.#since.get(what) ?? time.now, network.calmSince);
      this.#since.set(what, since);
      if (time.now - since > MENDED_MS) this.#world.fail(`${problem()}, for ${time.now - since} ms`);
    }
  }
}
