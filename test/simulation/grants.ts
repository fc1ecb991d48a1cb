import type { Limiter } from "../../src/algorithms/limiter.js";
import type { Quota } from "../../src/quota.js";
import type { Program } from "./program.js";
import { placeOf } from "./watched-deny-cache.js";
import type { World } from "./world.js";

/** Units that a caller got, at the moment for which they were decided. */
interface Grant {
  readonly moment: number;
  readonly units: number;
}

interface Key {
  readonly limiter: Limiter;
  readonly key: string;
  /** Of the server as `undefined`, or of the fallback of a process. */
  readonly of: Program | undefined;
  readonly grants: Grant[];
  /** Units that may come on top, as what was spent was forgotten. */
  forgotten: number;
}

/** All that callers got: of each key no more than its algorithm allows, and what was given back or forgotten. */
export class Grants {
  readonly #world: World;
  readonly #keys = new Map<string, Key>();
  /** How often the clock of the server was set, forwards or back. */
  #jumps = 0;

  constructor(world: World, limiters: readonly Limiter[], keys: readonly string[]) {
    this.#world = world;
    for (const limiter of limiters) for (const key of keys) this.#of(limiter, key, undefined);
  }

  add(limiter: Limiter, key: string, of: Program | undefined, units: number, moment: number): void {
    this.#of(limiter, key, of).grants.push({ moment, units });
  }

  /** The server forgot a key: it may be granted all of its limit again, beside the places that were booked before. */
  forget(place: string, programs: readonly Program[]): void {
    for (const each of this.#keys.values()) {
      if (each.of !== undefined || placeOf(each.limiter, each.key) !== place) continue;
      each.forgotten += capacityOf(each.limiter);
      for (const { store } of programs) {
        const line = store.line(each.limiter, each.key);
        for (const { cost } of line.waiting) each.forgotten += cost;
        for (const asked of store.pending) if (asked.line === line) each.forgotten += Math.max(asked.cost, 0);
      }
    }
  }

  forgetAll(programs: readonly Program[]): void {
    for (const { limiter, key, of } of [...this.#keys.values()]) {
      if (of === undefined) this.forget(placeOf(limiter, key), programs);
    }
  }

  jump(): void {
    this.#jumps++;
  }

  /** @param isDoubled whether what was given back may have been given back twice. */
  check(programs: readonly Program[], isDoubled: boolean): void {
    for (const { limiter, key, of, grants, forgotten } of this.#keys.values()) {
      grants.sort((one, other) => one.moment - other.moment);
      const stores = of === undefined ? programs.map(({ store }) => store) : [of.fallback!];
      const freed = stores.reduce((sum, store) => sum + store.line(limiter, key).freed, 0);
      const jumps = of === undefined ? this.#jumps : 0;
      const extra = forgotten + (of ? forgottenBy(of, limiter, key) : 0) + freed * (isDoubled ? 2 : 1);
      for (const quota of limiter.quotas) {
        const problem = excess(limiter.algorithm.algorithmName, quota, grants, extra, jumps);
        if (problem === undefined) continue;
        this.#world.fail(
          `${of?.machine.name ?? "server"} ${limiter.id} ${key}: ${problem}, ${extra} more than usual allowed`,
        );
      }
    }
  }

  #of(limiter: Limiter, key: string, of: Program | undefined): Key {
    const name = `${limiter.id} ${key} ${of?.machine.name}`;
    const known = this.#keys.get(name) ?? { limiter, key, of, grants: [], forgotten: 0 };
    this.#keys.set(name, known);
    return known;
  }
}

/** What may come on top as a key of a fallback was reset, which only its own process does. */
function forgottenBy({ fallback }: Program, limiter: Limiter, key: string): number {
  const { resets, waitedAtResets } = fallback!.line(limiter, key);
  return resets * capacityOf(limiter) + waitedAtResets;
}

function capacityOf({ quotas }: Limiter): number {
  return Math.max(...quotas.map(({ limit, burst }) => Math.max(limit, burst)));
}

/** Where more was granted than a quota allows, in any closed interval from one grant to another. */
function excess(
  algorithm: string,
  { limit, periodMs, burst }: Quota,
  grants: readonly Grant[],
  extra: number,
  jumps: number,
): string | undefined {
  const isWindow = algorithm.endsWith("-window");
  for (const [i, { moment: from }] of grants.entries()) {
    let sum = 0;
    for (const { moment, units } of grants.slice(i)) {
      const ms = moment - from;
      // Windows are those of the clock: where it is set, they may be shorter once.
      if (isWindow && ms >= periodMs) break;
      sum += units;
      const most = isWindow
        ? windowBound(algorithm, limit, periodMs, ms, jumps)
        : burst + Math.floor((ms * limit) / periodMs);
      if (sum > most + extra) return `${sum} units within ${ms} ms`;
    }
  }
  return undefined;
}

/** Units that windows let through within less than a period. */
function windowBound(algorithm: string, limit: number, periodMs: number, ms: number, jumps: number): number {
  if (jumps > 0) return (2 + jumps) * limit;
  return algorithm === "fixed-window" ? 2 * limit : Math.ceil((limit * (periodMs + ms + 1)) / periodMs) - 1;
}
