import type { AlgorithmName } from "../../src/index.js";
import type { Weather } from "./network.js";
import { CALM } from "./network.js";
import type { Random } from "./random.js";
import type { BreakerTerms } from "./watched-breaker.js";

/** How a process of a simulation is set up. */
export interface ProgramPlan {
  readonly name: string;
  readonly aheadMs: number;
  readonly deadlineMs: number;
  readonly onUnavailable: "throw" | "allow" | "deny" | "memory";
  readonly breaker: BreakerTerms;
  readonly batch: boolean;
  readonly canSubscribe: boolean;
}

export interface LimiterPlan {
  readonly using: AlgorithmName;
  readonly quotas: readonly { readonly limit: number; readonly period: number; readonly burst?: number }[];
}

/** What may happen beside calls. */
export type FaultName =
  | "storm"
  | "break"
  | "cut off"
  | "hang"
  | "slow"
  | "fail over"
  | "refuse"
  | "flush"
  | "jump"
  | "stall"
  | "die"
  | "close";

/** All that is decided about a simulation before it begins. */
export interface Plan {
  readonly programs: readonly ProgramPlan[];
  readonly limiters: readonly LimiterPlan[];
  readonly denyCacheMs: number | undefined;
  readonly capacity: number;
  readonly leaseMs: number;
  readonly operations: number;
  /** How likely an operation is a fault. */
  readonly faultiness: number;
  readonly faults: readonly FaultName[];
  /** What storms are like, and what the way to the server is like otherwise. */
  readonly storm: Weather;
  readonly slowestMs: number;
}

const FAULTS: readonly FaultName[] = [
  "storm",
  "break",
  "cut off",
  "hang",
  "slow",
  "fail over",
  "refuse",
  "flush",
  "jump",
  "stall",
  "die",
  "close",
];

/** Draws a plan; each has only some of the faults, so that what the others would excuse is found as well. */
export function draw(random: Random): Plan {
  const programs = Array.from({ length: random.int(1, 3) }, (_, i) => program(random, `p${i + 1}`));
  const likelihood = random.pick([0, 0.1, 0.3, 0.6]);
  const rate = (most: number): number => (random.chance(0.5) ? 0 : random.next() * most);
  return {
    programs,
    limiters: Array.from({ length: random.int(1, 2) }, () => limiter(random)),
    denyCacheMs: random.chance(0.5) ? random.pick([20, 200, 1_000]) : undefined,
    capacity: random.int(1, 3),
    leaseMs: random.pick([300, 1_000, 5_000, 5_000]),
    operations: random.int(20, 50),
    faultiness: random.pick([0.05, 0.15, 0.3]),
    faults: FAULTS.filter(() => random.chance(likelihood)),
    storm: {
      slowestMs: random.pick([2, 50, 400]),
      requestLost: rate(0.3),
      replyLost: rate(0.3),
      messageLost: rate(0.5),
      broken: rate(0.1),
      doubled: rate(0.2),
    },
    slowestMs: random.pick([CALM.slowestMs, CALM.slowestMs, 10, 40]),
  };
}

function program(random: Random, name: string): ProgramPlan {
  return {
    name,
    aheadMs: random.int(0, 1_000_000),
    deadlineMs: random.pick([30, 100, 250]),
    onUnavailable: random.pick(["throw", "throw", "allow", "deny", "memory"]),
    breaker: { failures: random.int(1, 5), retryAfterMs: random.pick([20, 100, 250]) },
    batch: random.chance(0.7),
    canSubscribe: random.chance(0.8),
  };
}

function limiter(random: Random): LimiterPlan {
  const using = random.pick([
    "fixed-window",
    "sliding-window",
    "token-bucket",
    "leaky-bucket",
    "gcra",
  ] as const);
  const canBurst = using !== "fixed-window" && using !== "sliding-window";
  const quota = (): LimiterPlan["quotas"][number] => ({
    limit: random.int(1, 6),
    period: random.pick([50, 100, 333, 1_000, 2_000]),
    ...(canBurst && random.chance(0.3) ? { burst: random.int(1, 8) } : {}),
  });
  const isCombined = using !== "sliding-window" && using !== "leaky-bucket" && random.chance(0.2);
  return { using, quotas: isCombined ? [quota(), quota()] : [quota()] };
}
