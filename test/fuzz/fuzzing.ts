import { inspect } from "node:util";
import fc from "fast-check";
import type { Parser } from "./parser.js";

/** How many inputs, and which. */
export interface Fuzzing {
  readonly inputs: number;
  /** The same seed makes the same inputs. */
  readonly seed: number;
  /** Where a fault was found: goes there at once. */
  readonly path?: string | undefined;
}

/** An input that a parser does not treat as it should. */
export interface Fault {
  readonly seed: number;
  readonly path: string;
  /** The simplest input that was found to show it, as it is written in a program. */
  readonly input: string;
  readonly problem: string;
}

/** Looks for a fault, and for the simplest input that shows it. */
export function fuzz({ property }: Parser, { inputs, seed, path }: Fuzzing): Fault | undefined {
  const run = fc.check(property, { numRuns: inputs, seed, ...(path === undefined ? {} : { path }) });
  if (!run.failed) return undefined;
  const [input] = run.counterexample ?? [];
  return {
    seed,
    path: run.counterexamplePath ?? "",
    input: inspect(input, { depth: null, maxStringLength: null, breakLength: Number.POSITIVE_INFINITY }),
    problem: inspect(run.errorInstance),
  };
}
