import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { count, oneOf } from "../support/command-line.js";
import { type Fuzzing, fuzz } from "./fuzzing.js";
import { slowTexts } from "./linear-time.js";
import type { Parser } from "./parser.js";

/** What `npm run fuzz` does: says what comes of each parser. @returns the exit code. @throws RangeError for wrong arguments. */
export function runFuzz(
  args: readonly string[],
  parsers: readonly Parser[],
  print: (line: string) => void,
): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      inputs: { type: "string", default: "1m" },
      seed: { type: "string", default: String(randomInt(2 ** 31)) },
      parser: { type: "string" },
      path: { type: "string" },
    },
  });
  const names = parsers.map(({ name }) => name);
  const only = values.parser === undefined ? names : [oneOf("parser", values.parser, names)];
  const seed = count("seed", values.seed);
  const fuzzing: Fuzzing = { inputs: count("inputs", values.inputs), seed, path: values.path };
  print(`Seed ${seed}`);
  const sound = parsers
    .filter(({ name }) => only.includes(name))
    .map((each) => isSound(each, fuzzing, print));
  return sound.includes(false) ? 1 : 0;
}

function isSound(parser: Parser, fuzzing: Fuzzing, print: (line: string) => void): boolean {
  const { name } = parser;
  const start = performance.now();
  const fault = fuzz(parser, fuzzing);
  if (fault !== undefined) {
    const again = `npm run fuzz -- --parser ${name} --seed ${fault.seed} --path ${fault.path}`;
    print(`${name}: ${fault.input}\n${fault.problem}\nAgain: ${again}`);
    return false;
  }
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  const slow = slowTexts(parser);
  const time = slow.length === 0 ? "linear time" : `not in linear time:\n  ${slow.join("\n  ")}`;
  print(`${name}: ${fuzzing.inputs.toLocaleString("en")} inputs in ${seconds} s, no fault; ${time}`);
  return slow.length === 0;
}
