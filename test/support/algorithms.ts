import type { AlgorithmName } from "../../src/index.js";

/** Every algorithm that `using` knows by name. */
export const ALGORITHMS = [
  "fixed-window",
  "sliding-window",
  "token-bucket",
  "leaky-bucket",
  "gcra",
] as const satisfies readonly AlgorithmName[];

/** Those that a quota may give a burst of its own. */
export const BUCKETS = ["token-bucket", "leaky-bucket", "gcra"] as const satisfies readonly AlgorithmName[];
