import fc from "fast-check";
import type { AlgorithmName } from "../../src/algorithms/limiter.js";
import type { Quota } from "../../src/quota.js";
import { ALIGNED } from "../algorithms/single-key.js";

export const WINDOWS = ["fixed-window", "sliding-window"] as const;
export const BUCKETS = ["token-bucket", "leaky-bucket", "gcra"] as const;
export const ALGORITHMS: readonly AlgorithmName[] = [...WINDOWS, ...BUCKETS];

/** One call, some time after the one before. */
export interface Step {
  /** Below 0 the clock is set back. */
  readonly pauseMs: number;
  /** Below 0 it is given back. */
  readonly cost: number;
  /** `Infinity` charges it in any case. */
  readonly maxWaitMs: number;
  /** Gives a place back instead, if one is booked: the last one for 0, and so on backwards. */
  readonly cancel?: number;
}

/** What happens to one key: everything that a counterexample needs to say. */
export interface Program {
  readonly quotas: readonly Quota[];
  readonly startMs: number;
  readonly steps: readonly Step[];
}

export type StepKind = "call" | "ask" | "booking" | "charge" | "flood" | "refund" | "cancel" | "step back";

export interface ProgramOptions {
  /** The kinds of steps, by default all but a flood of units. */
  readonly kinds?: readonly StepKind[];
  /** The most quotas, 1 by default. */
  readonly quotas?: number;
  /** The most steps, 30 by default. */
  readonly steps?: number;
  /** Where quotas come from, `anyQuota` by default. */
  readonly quota?: (using: AlgorithmName) => fc.Arbitrary<Quota>;
}

/** All but a clock that is set back. */
export const FORWARD: readonly StepKind[] = ["call", "ask", "booking", "charge", "refund", "cancel"];

const ALL_KINDS: readonly StepKind[] = [...FORWARD, "step back"];

/** Few units and few milliseconds, so that boundaries lie close together. */
export function smallQuota(using: AlgorithmName): fc.Arbitrary<Quota> {
  const limits = fc.integer({ min: 1, max: 12 });
  return fc
    .tuple(limits, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20 }))
    .map(([limit, periodMs, burst]) => quotaFor(using, limit, periodMs, burst));
}

/** Quotas as they are used, and quotas as large as they get. */
function largeQuota(using: AlgorithmName): fc.Arbitrary<Quota> {
  const usual = fc.tuple(
    fc.integer({ min: 1, max: 5000 }),
    fc.constantFrom(1, 7, 250, 1000, 60_000, 3_600_000, 604_800_000),
    fc.integer({ min: 1, max: 10_000 }),
  );
  const extreme = fc.integer({ min: 1, max: 2 ** 40 }).chain((periodMs) => {
    const most = Math.floor(Number.MAX_SAFE_INTEGER / periodMs / 2);
    const units = fc.integer({ min: 1, max: most });
    return fc.tuple(units, fc.constant(periodMs), units);
  });
  return fc.oneof(usual, extreme).map(([limit, periodMs, burst]) => quotaFor(using, limit, periodMs, burst));
}

export function anyQuota(using: AlgorithmName): fc.Arbitrary<Quota> {
  return fc.oneof(smallQuota(using), largeQuota(using));
}

function quotaFor(using: AlgorithmName, limit: number, periodMs: number, burst: number): Quota {
  return { limit, periodMs, burst: using.endsWith("window") ? limit : burst };
}

/** An object that prints as one. */
export function record<T>(parts: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(parts, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

/** Programs over one key, of calls that land on boundaries as often as beside them. */
export function programs(using: AlgorithmName, options: ProgramOptions = {}): fc.Arbitrary<Program> {
  const { kinds = ALL_KINDS, quotas = 1, steps = 30, quota = anyQuota } = options;
  return fc.array(quota(using), { minLength: 1, maxLength: quotas }).chain((list) =>
    record({
      quotas: fc.constant(list),
      startMs: fc.nat(100_000).map((ms) => ALIGNED + ms),
      steps: fc.array(step(list, kinds), { maxLength: steps, size: "max" }),
    }),
  );
}

/** One step of a key with these quotas. */
export function step(quotas: readonly Quota[], kinds: readonly StepKind[]): fc.Arbitrary<Step> {
  const pauseMs = fc.constantFrom(...quotas).chain(pause);
  const capacity = Math.min(...quotas.map(({ burst }) => burst));
  const cost = fc.oneof(
    { weight: 3, arbitrary: fc.constant(1) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: capacity }) },
    fc.integer({ min: capacity, max: capacity + 1 }),
  );
  const maxWaitMs = fc
    .constantFrom(...quotas)
    .chain(({ periodMs }) => fc.oneof(upTo(periodMs), upTo(8 * periodMs)));
  const none = fc.constant(0);
  const byKind: Record<StepKind, fc.Arbitrary<Step>> = {
    call: record({ pauseMs, cost, maxWaitMs: none }),
    ask: record({ pauseMs, cost: none, maxWaitMs: none }),
    booking: record({ pauseMs, cost, maxWaitMs }),
    charge: record({ pauseMs, cost, maxWaitMs: fc.constant(Number.POSITIVE_INFINITY) }),
    flood: record({
      pauseMs,
      cost: fc.constant(Number.MAX_SAFE_INTEGER),
      maxWaitMs: fc.constant(Number.POSITIVE_INFINITY),
    }),
    refund: record({ pauseMs, cost: cost.map((units) => -units), maxWaitMs: none }),
    cancel: record({ pauseMs, cost: none, maxWaitMs: none, cancel: fc.oneof(none, fc.nat(20)) }),
    "step back": record({ pauseMs: pauseMs.map((ms) => 0 - ms), cost, maxWaitMs: none }),
  };
  return fc.oneof(...kinds.map((kind) => ({ weight: WEIGHTS[kind] ?? 3, arbitrary: byKind[kind] })));
}

function upTo(most: number): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max: most });
}

/** Calls and bookings are what the others need something of. */
const WEIGHTS: Partial<Record<StepKind, number>> = { call: 12, booking: 18, flood: 1 };

function pause({ limit, periodMs, burst }: Quota): fc.Arbitrary<number> {
  const interval = Math.ceil(periodMs / limit);
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.nat(2 * interval) },
    { weight: 1, arbitrary: fc.nat(2 * periodMs) },
    { weight: 1, arbitrary: fc.nat(Math.min(2 * burst * interval, 8 * periodMs)) },
  );
}

/** A program, and what is asked of the key afterwards. */
export interface Sequel {
  readonly program: Program;
  readonly later: readonly Step[];
}

export function sequels(using: AlgorithmName, options: ProgramOptions): fc.Arbitrary<Sequel> {
  return programs(using, options).chain((program) => {
    const later = fc.array(step(program.quotas, ["call", "ask", "booking"]), { minLength: 1, maxLength: 10 });
    return record({ program: fc.constant(program), later });
  });
}
