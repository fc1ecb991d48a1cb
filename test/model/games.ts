import { fullStoreGame } from "./full-store-game.js";
import type { Game } from "./game.js";
import type { Random } from "./random.js";
import { rateGame } from "./rate-game.js";
import { RULE_NAMES, type RuleName } from "./rules/rules.js";
import { SEMAPHORE_GAME } from "./semaphore-game.js";
import type { SideName } from "./sides.js";

/** What programs can be about. */
export type Subject = RuleName | "semaphore";

export const SUBJECTS: readonly Subject[] = [...RULE_NAMES, "semaphore"];

/** A game about one of the subjects. */
export function randomGame(random: Random, subjects: readonly Subject[], sides: readonly SideName[]): Game {
  const subject = random.pick(subjects);
  if (subject === "semaphore") return SEMAPHORE_GAME as Game;
  // Redis holds as many keys as there are.
  const isFull = random.percent(10) && sides.includes("memory");
  return (isFull ? fullStoreGame(subject) : rateGame(subject)) as Game;
}
