import type { Rule } from "./rule.js";

/** A rule whose state is as good as one number: what must come back until the key is fresh. */
export interface Debt<State> extends Rule<State> {
  /** What must come back from a moment on, 0 of a fresh key. */
  owed(state: State, moment: bigint): bigint;
  /** The state of a key that owes so much at a moment. */
  owing(owed: bigint, moment: bigint): State;
}

/** What the booking added comes off again. A key that owes less than that was reset since then: it gets the cost back. */
export function untakeDebt<State>(
  rule: Debt<State>,
  state: State,
  moment: bigint,
  cost: bigint,
  before: State,
  after: State,
): State {
  const left = rule.owed(state, moment) - (rule.owed(after, moment) - rule.owed(before, moment));
  return left < 0n ? rule.take(state, moment, -cost) : rule.owing(left, moment);
}
