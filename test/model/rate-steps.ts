import type { Quota } from "../../src/index.js";
import type { ModelAnswer, ModelKey } from "./model-key.js";
import type { Random } from "./random.js";
import type { RateStep } from "./rate-program.js";

/** What is known of a key when its next step is made up. */
export interface KeySeen {
  readonly quotas: readonly Quota[];
  readonly model: ModelKey;
  /** What was last asked of it, and what it was told. */
  readonly last: { readonly at: number; readonly cost: number; readonly answer: ModelAnswer } | undefined;
}

interface Circumstances {
  readonly setsBack: boolean;
  /** Whether there are calls that it can be made together with. */
  readonly joins: boolean;
}

/** The clock goes no further, so that there are always moments to come. */
const LAST_MS = 2 ** 51;

const KINDS = { call: 70, charge: 5, refund: 8, cancel: 10, reset: 1, expire: 4, look: 2 } as const;

const DAY_MS = 86_400_000;

/** A step of a key that lands on what is interesting of its limits as often as beside it. */
export function randomRateStep(
  random: Random,
  key: number,
  seen: KeySeen,
  now: number,
  { setsBack, joins }: Circumstances,
): RateStep {
  const kind = random.weighted(KINDS);
  const pauseMs = joins && random.percent(70) ? undefined : pause(random, seen, now, setsBack);
  const step = { kind, key, ...(pauseMs !== undefined && { pauseMs }) };
  if (kind === "cancel") return { ...step, place: random.percent(50) ? 0 : random.between(0, 20) };
  if (kind === "charge" || kind === "refund") return { ...step, cost: cost(random, seen, now) };
  if (kind !== "call") return step;
  const asks = random.percent(10);
  const waits = random.percent(30);
  return {
    ...step,
    cost: asks ? 0 : cost(random, seen, now),
    ...(waits && { maxWaitMs: maxWait(random, seen, now + (pauseMs ?? 0)) }),
  };
}

function pause(random: Random, { quotas, last }: KeySeen, now: number, setsBack: boolean): number {
  const { limit, periodMs, burst } = random.pick(quotas);
  const one = Math.ceil(periodMs / limit);
  const kind = random.weighted({
    none: 30,
    tick: 10,
    unit: 15,
    retry: 18,
    reset: 8,
    window: 8,
    refill: 3,
    period: 5,
    days: 1,
    back: setsBack ? 20 : 0,
  });
  const off = random.between(-1, 1);
  const ahead = {
    none: () => 0,
    tick: () => 1,
    unit: () => random.between(0, 2 * one),
    retry: () => (last === undefined ? 1 : last.at + Math.min(last.answer.retryAfterMs, LAST_MS) - now + off),
    reset: () => (last === undefined ? 1 : last.at + last.answer.resetAfterMs - now + off),
    window: () => periodMs - (now % periodMs) + off,
    refill: () => Math.ceil((burst * periodMs) / limit) + off,
    period: () => random.between(0, 3 * periodMs),
    days: () => random.between(1, 30) * DAY_MS + off,
    back: () => -back(random, { limit, periodMs, burst }),
  }[kind]();
  const least = kind === "back" ? -now : 0;
  return Math.max(least, Math.min(ahead, Math.max(0, LAST_MS - now)));
}

/** How far the clock is set back: most of all by about a full refill, from which on it is noticed. */
function back(random: Random, { limit, periodMs, burst }: Quota): number {
  const kind = random.weighted({ little: 40, refill: 30, period: 20, days: 10 });
  if (kind === "refill") return Math.max(1, Math.ceil((burst * periodMs) / limit) + random.between(-1, 2));
  if (kind === "period") return periodMs + random.between(0, 1);
  return kind === "days" ? random.between(1, 30) * DAY_MS : random.upTo(2 * periodMs);
}

function cost(random: Random, { quotas, model, last }: KeySeen, now: number): number {
  const capacity = Math.min(...quotas.map(({ burst }) => burst));
  const kind = random.weighted({
    one: 30,
    some: 25,
    left: 12,
    more: 12,
    last: 10,
    all: 5,
    above: 4,
    huge: 2,
  });
  if (kind === "one") return 1;
  if (kind === "some") return random.upTo(capacity);
  if (kind === "last") return Math.max(1, last?.cost ?? 1);
  if (kind === "all") return capacity;
  if (kind === "above") return capacity + 1;
  if (kind === "huge")
    return random.percent(50) ? Number.MAX_SAFE_INTEGER : random.upTo(Number.MAX_SAFE_INTEGER);
  const left = Math.min(...model.left(now).map(Number));
  return Math.max(1, left + (kind === "more" ? 1 : 0));
}

/** Often just as long as it has to be, or a millisecond less. */
function maxWait(random: Random, { quotas, last }: KeySeen, moment: number): number {
  const { periodMs } = random.pick(quotas);
  const kind = random.weighted({ exact: last === undefined ? 0 : 40, period: 25, periods: 25, forever: 10 });
  if (kind === "forever") return random.percent(50) ? Number.MAX_SAFE_INTEGER : 2 ** 31 - 1;
  if (kind === "period") return random.upTo(periodMs);
  if (kind === "periods") return random.between(1, Math.min(8 * periodMs, Number.MAX_SAFE_INTEGER));
  const until = last!.at + Math.min(last!.answer.retryAfterMs, LAST_MS) - moment;
  return Math.max(1, until + random.between(-1, 1));
}
