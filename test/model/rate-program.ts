import type { Quota } from "../../src/index.js";
import type { Random } from "./random.js";
import type { RuleName } from "./rules/rules.js";

/** What a program of calls on rate limits is about. */
export interface RateSetup {
  readonly startMs: number;
  /** Whether the clock may be set back. */
  readonly setsBack: boolean;
  readonly maxSize: number;
  readonly limiters: readonly { readonly using: RuleName; readonly quotas: readonly Quota[] }[];
  /** The index of the limiter of each key, and how the key ends. */
  readonly keys: readonly { readonly limiter: number; readonly name: string }[];
}

/** What happens to one of the keys. */
export interface RateStep {
  /**
   * `"call"` takes `cost` if it fits within `maxWaitMs`, 0 asks; `"charge"` takes it in any case; `"cancel"` gives back a place
   * that was booked, `"expire"` drops the record of a key that is as good as fresh, `"look"` looks how long it will be kept.
   */
  readonly kind: "call" | "charge" | "refund" | "cancel" | "reset" | "expire" | "look";
  readonly key: number;
  /** How long after the step before, below 0 if the clock is set back; without it both happen in one turn of the event loop. */
  readonly pauseMs?: number;
  readonly cost?: number;
  readonly maxWaitMs?: number;
  /** Which of the places that are booked: the last one for 0, and so on backwards. */
  readonly place?: number;
}

/** The first moment of a day and a week by UTC, at which a window of each usual period begins. */
const ALIGNED = 2812 * 7 * 86_400_000;

const PERIODS = [1, 7, 250, 1_000, 60_000, 3_600_000, 86_400_000, 604_800_000];

/** The ends of keys: to a server they are all the same, but not to what makes one text of them. */
const NAMES = ["a", "b", "a:b", "{a}", "%7Ba%7D", "ä€😀", "", " \n"];

export function rateSetup(using: RuleName, random: Random): RateSetup {
  const quotas = Array.from({ length: random.percent(60) ? 1 : random.between(2, 3) }, () =>
    quota(using, random),
  );
  // The same names under both are different keys.
  const others = random.percent(15) ? [[...quotas, quota(using, random)]] : [];
  const limiters = [quotas, ...others].map((each) => ({ using, quotas: each }));
  const keys = Array.from({ length: random.percent(50) ? 1 : random.between(2, 6) }, (_, i) => ({
    limiter: i % limiters.length,
    name: NAMES[Math.floor(i / limiters.length)]!,
  }));
  return {
    startMs: random.percent(2) ? random.between(0, 100) : ALIGNED + random.between(0, 100_000),
    setsBack: random.percent(25),
    maxSize: random.pick([65_536, 65_536, 200_000, Number.MAX_SAFE_INTEGER]),
    limiters,
    keys,
  };
}

export function quota(using: RuleName, random: Random): Quota {
  const kind = random.weighted({ small: 45, usual: 45, extreme: 10 });
  const periodMs =
    kind === "small"
      ? random.between(1, 40)
      : kind === "usual"
        ? random.pick(PERIODS)
        : random.upTo(random.percent(30) ? 2 ** 52 : 2 ** 40);
  // Both have to stay below 2^53 together, in units that weigh a period.
  const most = Math.floor((2 ** 53 - 1) / periodMs / 2);
  const units = (): number => {
    if (kind === "small") return random.between(1, 12);
    if (kind === "usual") return Math.min(most, random.upTo(1_000_000));
    return random.percent(20) ? most : random.upTo(most);
  };
  const limit = Math.max(1, units());
  const burst = using.endsWith("window") || random.percent(40) ? limit : Math.max(1, units());
  return { limit, periodMs, burst };
}

/** The same with fewer quotas. */
export function* simplerRateSetup(setup: RateSetup): Iterable<RateSetup> {
  const [{ using, quotas }, ...others] = setup.limiters as [RateSetup["limiters"][number]];
  // Those of several limiters must stay different, or they would share their keys.
  if (others.length > 0 || quotas.length === 1) return;
  for (const each of quotas) {
    yield { ...setup, limiters: [{ using, quotas: quotas.filter((quota) => quota !== each) }] };
  }
}

/** Simpler variants of one step, the simplest first. */
export function* simplerRateStep(step: RateStep): Iterable<RateStep> {
  if (step.kind === "cancel" && step.place !== 0) yield { ...step, place: 0 };
  if (step.pauseMs === undefined) yield { ...step, pauseMs: 0 };
  if (step.key > 0) yield { ...step, key: 0 };
  for (const name of ["pauseMs", "cost", "maxWaitMs"] as const) {
    const number = step[name];
    if (number === undefined) continue;
    // Nobody charges nothing, or gives nothing back.
    const least = name === "cost" && step.kind !== "call" ? 1 : -Infinity;
    for (const simple of simplerNumbers(number)) if (simple >= least) yield { ...step, [name]: simple };
  }
}

/** Numbers closer to 0, the closest first. */
export function* simplerNumbers(number: number): Iterable<number> {
  const size = Math.abs(number);
  if (size > 1) yield 0;
  for (let less = 2 ** Math.floor(Math.log2(size)); less >= 1; less /= 2) {
    yield Math.sign(number) * (size - less);
  }
}
