import type { Game, Program, Table } from "./game.js";

/** How a program differs on the table. What is thrown is a difference as well: no program may do that. */
export async function differenceOf(game: Game, program: Program, table: Table): Promise<string | undefined> {
  try {
    const play = game.begin(program.setup, table);
    for (const step of program.steps) {
      const difference = await play.take(step);
      if (difference !== undefined) return difference;
    }
    return await play.end();
  } catch (error) {
    return String((error as Error).stack);
  }
}

type Differs = (program: Program) => Promise<boolean>;

/** On a server it may take long to find out what can't be left out. */
const MOST_MS = 60_000;

/** A program that differs as well, of which nothing can be left out or be made simpler, as far as that is found in a minute. */
export async function shrink(game: Game, program: Program, table: Table): Promise<Program> {
  const end = performance.now() + MOST_MS;
  const differs: Differs = async (each) =>
    performance.now() < end && (await differenceOf(game, each, table)) !== undefined;
  let shrunk = program;
  for (let before: Program | undefined; before !== shrunk; ) {
    before = shrunk;
    shrunk = await withFewerSteps(shrunk, differs);
    shrunk = await withSimplerSetup(game, shrunk, differs);
    shrunk = await withSimplerSteps(game, shrunk, differs);
  }
  return shrunk;
}

/** Leaves out steps: half of them, a quarter, and so on down to one. */
async function withFewerSteps(program: Program, differs: Differs): Promise<Program> {
  let shrunk = program;
  for (let size = Math.ceil(program.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let i = 0; i < shrunk.steps.length; ) {
      const { steps } = shrunk;
      const fewer = { ...shrunk, steps: [...steps.slice(0, i), ...steps.slice(i + size)] };
      if (await differs(fewer)) shrunk = fewer;
      else i += size;
    }
  }
  return shrunk;
}

async function withSimplerSetup(game: Game, program: Program, differs: Differs): Promise<Program> {
  for (const setup of game.simplerSetup?.(program.setup) ?? []) {
    const simpler = { ...program, setup };
    if (await differs(simpler)) return withSimplerSetup(game, simpler, differs);
  }
  return program;
}

async function withSimplerSteps(game: Game, program: Program, differs: Differs): Promise<Program> {
  let shrunk = program;
  for (let i = 0; i < program.steps.length; ) {
    const simpler = await simplerAt(game, shrunk, i, differs);
    if (simpler === undefined) i++;
    else shrunk = simpler;
  }
  return shrunk;
}

async function simplerAt(
  game: Game,
  program: Program,
  i: number,
  differs: Differs,
): Promise<Program | undefined> {
  const { steps } = program;
  for (const step of game.simpler(steps[i])) {
    const simpler = { ...program, steps: [...steps.slice(0, i), step, ...steps.slice(i + 1)] };
    if (await differs(simpler)) return simpler;
  }
  return undefined;
}
