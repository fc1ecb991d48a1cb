/** What a store keeps beside the records of limiters: texts by key, each for its time. Methods as those of `Storage`. */
export interface Entries {
  get(key: string): Promise<string | undefined>;
  /** Without a time the text stays. */
  set(key: string, text: string, ttlMs: number | undefined): Promise<void>;
  /** The sum, or why there is none: the text is no whole number, or it would leave 2^53. The time is that of a new key. */
  increment(key: string, amount: number, ttlMs: number | undefined): Promise<Sum>;
  delete(key: string): Promise<boolean>;
  exists(key: string): Promise<boolean>;
  /** Answers with how many there were. */
  clear(): Promise<number>;
}

/** What a number that is added comes to. */
export type Sum = number | "no number" | "too large";
