/** What a store says of itself. */
export interface StoreStatus {
  /** The kind of store, e.g. `"redis"`. */
  readonly type: string;
  /**
   * How many keys it remembers, expired ones that are still to leave included; of a server all that are in its database, whoever
   * wrote them. `undefined` if that can't be said now.
   */
  readonly keys: number | undefined;
  /** Whether it can be asked: whether the server answered just now. */
  readonly connected: boolean;
  /** The circuit breaker: `"open"` leaves a server alone that failed, `"half-open"` is one whose next answer decides. */
  readonly breaker: "closed" | "open" | "half-open";
  /** What happened so far, since the store was made. */
  readonly counters: Readonly<Record<string, number>>;
}
