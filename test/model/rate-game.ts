import type { Game } from "./game.js";
import { RatePlay } from "./rate-play.js";
import {
  type RateSetup,
  type RateStep,
  rateSetup,
  simplerRateSetup,
  simplerRateStep,
} from "./rate-program.js";
import type { RuleName } from "./rules/rules.js";

/** Programs of calls on limits of one algorithm. */
export function rateGame(using: RuleName): Game<RateSetup, RateStep> {
  return {
    setup: (random) => rateSetup(using, random),
    begin: (setup, table) => new RatePlay(setup, table),
    simpler: simplerRateStep,
    simplerSetup: simplerRateSetup,
  };
}
