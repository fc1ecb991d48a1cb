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

/** How far it is. */
export interface Progress {
  ops: number;
  /** How many of them a server has answered. */
  onServer: number;
  programs: number;
}

/** Where there are several stores, every so many programs go to all of them, and the others to memory, which is much faster. */
const ALL_STORES_EVERY = 4;

/** The most steps of a program. */
const MOST_STEPS = 120;

/** A random program that was played. */
interface Played {
  readonly game: Game;
  readonly program: Program;
  readonly difference: string | undefined;
}

/** Plays random programs at all tables at once, until there were enough operations or something differs. */
export async function verify(
  { ops, seed, subjects }: Verification,
  tables: readonly Table[],
  onProgress: (progress: Progress) => void = () => {},
): Promise<Failure | undefined> {
  const progress: Progress = { ops: 0, onServer: 0, programs: 0 };
  let failure: Promise<Failure> | undefined;
  const playAt = async (whole: Table): Promise<void> => {
    while (failure === undefined && progress.ops < ops) {
      const its = seed + progress.programs++;
      const table = its % ALL_STORES_EVERY === 0 ? whole : inMemory(whole);
      const played = await playRandom(new Random(its), subjects, table);
      const { steps } = played.program;
      progress.ops += steps.length;
      if (table.sides.some(({ name }) => name === "redis")) progress.onServer += steps.length;
      onProgress(progress);
      if (played.difference !== undefined) failure ??= shortest(its, played, played.difference, table);
    }
  };
  await Promise.all(tables.map(playAt));
  return failure;
}

/** The same table with the store in memory alone, if it has one. */
function inMemory(table: Table): Table {
  const memory = table.sides.filter(({ name }) => name === "memory");
  return memory.length === 0 ? table : { ...table, sides: memory };
}

async function shortest(
  seed: number,
  { game, program }: Played,
  difference: string,
  table: Table,
): Promise<Failure> {
  const shrunk = await shrink(game, program, table);
  return { seed, program: shrunk, difference: (await differenceOf(game, shrunk, table)) ?? difference };
}

/** Makes up a program step by step, as it is played, up to the first difference. */
async function playRandom(random: Random, subjects: readonly Subject[], table: Table): Promise<Played> {
  const game = randomGame(
    random,
    subjects,
    table.sides.map(({ name }) => name),
  );
  const setup = game.setup(random);
  const steps: unknown[] = [];
  const ended = (difference?: string): Played => ({ game, program: { setup, steps }, difference });
  try {
    const play = game.begin(setup, table);
    for (let left = random.between(1, MOST_STEPS); left > 0; left--) {
      const step = play.next(random);
      steps.push(step);
      const difference = await play.take(step);
      if (difference !== undefined) return ended(difference);
    }
    return ended(await play.end());
  } catch (error) {
    return ended(String((error as Error).stack));
  }
}
