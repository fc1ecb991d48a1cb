// @ts-check
// `npm run bench`: asks every question, or those that are named, and writes down the answers.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ask } from "./measure/child.mjs";
import { meta } from "./measure/machine.mjs";
import { QUESTIONS, WHOLE } from "./measure/question.mjs";
import { readAnswers, verdictsOf, writeAnswers } from "./measure/results.mjs";
import { targetTable } from "./measure/tables.mjs";
import { markTargets } from "./targets.mjs";

const HELP = `Usage: npm run bench -- [questions] [options]

Measures, and writes results.json, the charts and the tables of README.md.
Without questions it asks all of them: ${QUESTIONS.slice(0, 4).join(", ")},
${QUESTIONS.slice(4, 8).join(", ")}, ${QUESTIONS.slice(8).join(", ")}.

  --rough   a third of the rounds; shows the figures, and writes nothing
  --draw    measures nothing: draws the charts and tables of results.json again
  --help    this text
`;

process.exitCode = await main(process.argv.slice(2));

/** @param {string[]} args @returns {Promise<number>} the exit code */
async function main(args) {
  const names = args.filter((arg) => !arg.startsWith("-"));
  const options = args.filter((arg) => arg.startsWith("-"));
  const unknown = [
    ...names.filter((name) => !QUESTIONS.includes(name)),
    ...options.filter((option) => !["--rough", "--draw", "--help"].includes(option)),
  ];
  if (unknown.length > 0 || options.includes("--help")) {
    process.stderr.write(unknown.length > 0 ? `Unknown: ${unknown.join(" ")}\n${HELP}` : HELP);
    return unknown.length > 0 ? 2 : 0;
  }
  if (options.includes("--draw")) {
    writeAnswers(readAnswers());
    return 0;
  }
  await bench(names.length > 0 ? names : QUESTIONS, options.includes("--rough"));
  return 0;
}

/** @param {readonly string[]} names @param {boolean} rough */
async function bench(names, rough) {
  const start = performance.now();
  const seconds = () => Math.round((performance.now() - start) / 1_000);
  prepare();
  const answers = readAnswers();
  /** @type {typeof answers} */
  const asked = {};
  for (const name of QUESTIONS.filter((each) => names.includes(each))) {
    process.stderr.write(`\n${name}, after ${seconds()} s\n`);
    const rounds = rough ? Math.ceil(WHOLE.rounds / 3) : WHOLE.rounds;
    const onNote = (/** @type {string} */ note) => void process.stderr.write(`  ${note}\n`);
    const { title, groups } = await ask(
      new URL("processes/question.mjs", import.meta.url),
      { name, rounds },
      { onNote },
    );
    markTargets(name, groups);
    asked[name] = { title, meta: meta(), groups };
    // What was measured is kept, whatever comes after it.
    if (!rough) writeAnswers({ ...answers, ...asked });
  }
  process.stdout.write(`\n${targetTable(verdictsOf(asked))}\n`);
  process.stderr.write(`\n${seconds()} s\n`);
}

/** Builds the library, and installs what it is compared with where that was not done yet. */
function prepare() {
  const npm = (/** @type {string[]} */ ...args) =>
    execFileSync("npm", args, {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", "ignore", "inherit"],
      shell: process.platform === "win32",
    });
  npm("run", "build");
  if (!existsSync(new URL("competitors/node_modules", import.meta.url))) {
    npm("ci", "--prefix", "benchmarks/competitors");
  }
}
