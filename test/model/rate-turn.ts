import type { Answer, Booking, Limiter, Store } from "../../src/index.js";
import type { ModelAnswer, ModelBooking } from "./model-key.js";

/** A call that is made in one turn of the event loop with others, and what the model says to it. */
export interface Call {
  readonly store: Store;
  readonly limiter: Limiter;
  readonly name: string;
  readonly cost: number;
  readonly maxWaitMs: number;
  readonly booking: Booking | undefined;
}

/** The answers to the calls of a turn, in their order. */
export async function answersTo(calls: readonly Call[]): Promise<readonly Answer[]> {
  const [{ store, limiter }] = calls as [Call];
  const isPlain = (call: Call): boolean =>
    call.cost >= 0 && call.maxWaitMs === 0 && call.limiter === limiter && call.store === store;
  if (store.decideMany !== undefined && calls.length > 1 && calls.every(isPlain)) {
    return store.decideMany(
      limiter,
      calls.map(({ name }) => name),
      calls.map(({ cost }) => cost),
    );
  }
  const answers = calls.map((call) =>
    call.store.decide(call.limiter, call.name, call.cost, call.maxWaitMs, call.booking),
  );
  return store.sync ? (answers as Answer[]) : Promise.all(answers);
}

/** How an answer differs from that of the model. */
export function differenceOf(expected: ModelAnswer, answer: Answer): string | undefined {
  const same =
    answer.limited === expected.limited &&
    answer.quotaIndex === expected.quotaIndex &&
    answer.source === "store" &&
    answer.limit === expected.limit &&
    answer.remaining === expected.remaining &&
    answer.resetAfterMs === expected.resetAfterMs &&
    answer.retryAfterMs === expected.retryAfterMs &&
    (answer.booking?.waitMs ?? 0) === expected.waitMs;
  if (same) return undefined;
  const { booking, ...told } = answer;
  return `model: ${textOf({ source: "store", ...expected })}\nstore: ${textOf({ ...told, waitMs: booking?.waitMs ?? 0 })}`;
}

/** The same text for the same fields, whatever their order. */
function textOf(answer: object): string {
  const fields = Object.entries(answer).sort(([one], [other]) => (one < other ? -1 : 1));
  return fields.map(([name, value]) => `${name} ${value}`).join(", ");
}

/** A place that was booked, by the model and on each side. */
export interface Place {
  readonly cost: number;
  readonly ofModel: ModelBooking;
  readonly ofSides: (Booking | undefined)[];
}
