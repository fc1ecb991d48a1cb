import type { Booking, Decision, Limiter, Store } from "../../src/index.js";

/** Long enough for any place that `everyCall` books. */
const LONG_MS = 10 ** 10;

/** One call that was made, in words, and its answer. */
export interface MadeCall {
  readonly kind: string;
  readonly decision: Decision;
}

/** Makes every kind of call that a store gets, on a fresh key of a limiter of 5; yields after each. */
export async function* everyCall(store: Store, limiter: Limiter, key: string): AsyncGenerator<MadeCall> {
  const call = async (kind: string, cost: number, maxWaitMs = 0, booking?: Booking): Promise<MadeCall> => ({
    kind,
    decision: await store.decide(limiter, key, cost, maxWaitMs, booking),
  });

  yield call("asks about a fresh key", 0);
  yield call("gives back to a fresh key", -1);
  yield call("spends", 4);
  yield call("asks", 0);
  yield call("is refused", 3);
  yield call("can never pass", 6);
  const first = await call("books a place", 3, LONG_MS);
  yield first;
  const last = await call("books the next place", 3, LONG_MS);
  yield last;
  yield call("gives the last booking back", -3, 0, last.decision.booking);
  yield call("gives the booking before it back, after time has passed", -3, 0, first.decision.booking);
  yield call("gives a unit back", -1);
  yield call("is charged whether it fits or not", 9, Number.POSITIVE_INFINITY);
  yield call("gives units back to a key in debt", -2);
  yield call("gives back more than there is", -99);
}
