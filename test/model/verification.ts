import type { Game, Program, Table } from "./game.js";
import { randomGame, type Subject } from "./games.js";
import { Random } from "./random.js";
import { differenceOf, shrink } from "./shrink.js";

/** How much is to be verified, and of what. */
export interface Verification {
  /** How many operations at least. */
  readonly ops: number;
  /** The seed of the first program; the next one has the next number. */
  readonly seed: number;
  readonly subjects: readonly Subject[];
}

/** What the model and a store answer differently. */
export interface Failure {
  readonly seed: number;
  /** The shortest program that was found, and how it differs. */
  readonly program: Program;
  readonly difference: string;
}

export interface Progress {
  readonly ops: number;
  readonly programs: number;
}

/** The most steps of a program. */
const MOST_STEPS = 120;

/** Plays random programs at all tables at once, until there were enough operations or something differs. */
export async function verify(
  { ops, seed, subjects }: Verification,
  tables: readonly Table[],
  onProgress: (progress: Progress) => void = () => {},
): Promise<Failure | undefined> {
  const progress = { ops: 0, programs: 0 };
  let failed: { seed: number; game: Game; program: Program; table: Table } | undefined;
  const playAt = async (table: Table): Promise<void> => {
    while (failed === undefined && progress.ops < ops) {
      const its = seed + progress.programs++;
      const random = new Random(its);
      const game = randomGame(
        random,
        subjects,
        table.sides.map(({ name }) => name),
      );
      const { program, differs } = await playRandom(game, random, table);
      progress.ops += program.steps.length;
      if (differs) failed ??= { seed: its, game, program, table };
      onProgress(progress);
    }
  };
  await Promise.all(tables.map(playAt));
  if (failed === undefined) return undefined;
  const { game, table } = failed;
  const program = await shrink(game, failed.program, table);
  const difference = await differenceOf(game, program, table);
  return {
    seed: failed.seed,
    program,
    difference: difference ?? "It did not differ when it was played again.",
  };
}

/** Makes up a program step by step, as it is played, up to the first difference. */
async function playRandom(
  game: Game,
  random: Random,
  table: Table,
): Promise<{ program: Program; differs: boolean }> {
  const setup = game.setup(random);
  const steps: unknown[] = [];
  const program = { setup, steps };
  try {
    const play = game.begin(setup, table);
    for (let left = random.between(1, MOST_STEPS); left > 0; left--) {
      const step = play.next(random);
      steps.push(step);
      if ((await play.take(step)) !== undefined) return { program, differs: true };
    }
    return { program, differs: (await play.end()) !== undefined };
  } catch {
    // What was thrown is told when it is played again.
    return { program, differs: true };
  }
}
