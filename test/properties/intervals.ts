import type { Quota } from "../../src/quota.js";
import type { Player } from "./player.js";

/** Units that were let through, at the moment at which they go. */
export interface Passed {
  readonly at: bigint;
  readonly units: bigint;
}

/** A quota in numbers that are never rounded. */
export interface Exact {
  readonly limit: bigint;
  readonly periodMs: bigint;
  readonly burst: bigint;
}

export function exact({ limit, periodMs, burst }: Quota): Exact {
  return { limit: BigInt(limit), periodMs: BigInt(periodMs), burst: BigInt(burst) };
}

/** What passed, in the order of time; bookings that were given back before their moment did not. */
export function passed({ taken, cancelled }: Player): Passed[] {
  return taken
    .filter((each) => !each.decision.limited && each.step.cost > 0 && !cancelled.has(each))
    .map(({ now, step, decision }) => ({
      at: BigInt(now + (decision.booking?.waitMs ?? 0)),
      units: BigInt(step.cost),
    }))
    .sort((one, other) => Number(one.at - other.at));
}

/** Looks at every closed interval that begins and ends with a call: how long it is, and the units in it. */
export function eachInterval(calls: readonly Passed[], check: (ms: bigint, units: bigint) => void): void {
  calls.forEach(({ at: from }, i) => {
    let units = 0n;
    for (const call of calls.slice(i)) {
      units += call.units;
      check(call.at - from, units);
    }
  });
}

/** The units of each window that has any. */
export function perWindow(calls: readonly Passed[], periodMs: bigint): bigint[] {
  const used = new Map<bigint, bigint>();
  for (const { at, units } of calls) used.set(at / periodMs, (used.get(at / periodMs) ?? 0n) + units);
  return [...used.values()];
}
