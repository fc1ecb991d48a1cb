import { expect } from "vitest";
import { type AlgorithmName, Limiter } from "../../src/algorithms/limiter.js";
import type { QuotaInput } from "../../src/quota.js";
import { ALIGNED, SingleKey } from "./single-key.js";

/** One call, and the numbers of its answer. */
export interface Call {
  /** Milliseconds since the start of the trace, at which a window of every period begins. */
  readonly at: number;
  /** Below 0 it is given back. */
  readonly cost: number;
  /** How long the call may wait; `Infinity` charges it in any case. */
  readonly maxWaitMs?: number;
  readonly limited?: true;
  readonly quotaIndex?: number;
  readonly remaining: number;
  readonly resetAfterMs: number;
  readonly retryAfterMs?: number;
  /** How far ahead the place is that was booked. */
  readonly waitMs?: number;
}

/** Makes the calls on a fresh key, one after the other, and compares every number of every answer. */
export function trace(using: AlgorithmName, quota: QuotaInput | readonly QuotaInput[], calls: Call[]): void {
  const key = new SingleKey(new Limiter(using, quota));
  const answers = calls.map(({ at, cost, maxWaitMs }) => {
    key.now = ALIGNED + at;
    const { booking, limited, quotaIndex, remaining, resetAfterMs, retryAfterMs } = key.decide(
      cost,
      maxWaitMs,
    );
    return { at, cost, limited, quotaIndex, remaining, resetAfterMs, retryAfterMs, waitMs: booking?.waitMs };
  });
  expect(answers).toEqual(
    calls.map(({ maxWaitMs, ...call }) => ({
      limited: false,
      quotaIndex: 0,
      retryAfterMs: 0,
      waitMs: undefined,
      ...call,
    })),
  );
}
