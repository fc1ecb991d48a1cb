import type { Quota } from "../../src/index.js";
import { FullStorePlay, WEIGHED } from "./full-store-play.js";
import type { Game } from "./game.js";
import { quota, simplerNumbers } from "./rate-program.js";
import type { RuleName } from "./rules/rules.js";

/** What a program on a store in memory that is too small is about. */
export interface FullStoreSetup {
  readonly startMs: number;
  readonly using: RuleName;
  /** One, as of several a key may be asked that was used without telling it from a fresh one. */
  readonly quota: Quota;
  readonly maxSize: number;
  readonly keys: number;
}

/** A call on one of the keys. */
export interface FullStoreStep {
  readonly kind: "call" | "charge" | "refund" | "reset";
  readonly key: number;
  readonly pauseMs: number;
  readonly cost: number;
  readonly maxWaitMs: number;
}

/** Programs on a store in memory that is too small for their keys. */
export function fullStoreGame(using: RuleName): Game<FullStoreSetup, FullStoreStep> {
  return {
    setup: (random) => {
      const maxSize = random.percent(90) ? random.between(1, WEIGHED) : WEIGHED * random.pick([2, 3, 4]);
      const keys = maxSize + random.between(1, 6);
      return {
        startMs: 1_700_000_000_000 + random.between(0, 100_000),
        using,
        quota: quota(using, random),
        maxSize,
        keys,
      };
    },
    begin: (setup, table) => new FullStorePlay(setup, table),
    *simpler(step) {
      for (const name of ["pauseMs", "maxWaitMs", "cost"] as const) {
        for (const number of simplerNumbers(step[name])) yield { ...step, [name]: number };
      }
    },
  };
}
