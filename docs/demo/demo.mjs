// @ts-check
// `npm run demo`: five algorithms at work on real HTTP traffic, above their quota.
import { setMaxListeners } from "node:events";
import { existsSync } from "node:fs";
import { columnMs } from "./chart.mjs";
import { HELP, parseOptions } from "./options.mjs";
import { startRedis } from "./redis.mjs";
import { PER_SECOND, SCENES } from "./scenes.mjs";
import { paint, print, restore } from "./screen.mjs";
import { show } from "./show.mjs";
import { table } from "./table.mjs";

/** @typedef {import("./options.mjs").Options} Options */

const interrupt = new AbortController();
// Each request listens to it.
setMaxListeners(0, interrupt.signal);
process.once("SIGINT", () => interrupt.abort(130));
process.once("SIGTERM", () => interrupt.abort(143));
process.once("SIGHUP", () => interrupt.abort(129));
// Whoever read it is gone, as with `| head`.
process.stdout.on("error", () => interrupt.abort(1));

process.exitCode = await main(process.argv.slice(2));

/** @param {string[]} args @returns {Promise<number>} the exit code */
async function main(args) {
  /** @type {Options} */
  let options;
  try {
    options = parseOptions(args);
  } catch (error) {
    return complain(`${/** @type {Error} */ (error).message}\nTry: npm run demo -- --help`, 2);
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (!existsSync(new URL("../../dist/index.js", import.meta.url))) {
    return complain("The package is not built yet: run `npm run build` first", 1);
  }
  try {
    return await demo(options);
  } catch (error) {
    restore();
    if (interrupt.signal.aborted) return interrupt.signal.reason;
    return complain(/** @type {Error} */ (error).message, 1);
  }
}

/** @param {string} message @param {number} code */
function complain(message, code) {
  process.stderr.write(`${message}\n`);
  return code;
}

/** @param {Options} options */
async function demo({ redis, seconds }) {
  const own = redis === true ? await startRedis() : undefined;
  try {
    const redisUrl = typeof redis === "string" ? redis : own?.url;
    print(intro(redis, seconds));
    const verdicts = [];
    for (const scene of SCENES) {
      verdicts.push(await show(scene, { redisUrl, seconds, signal: interrupt.signal }));
    }
    const broken = verdicts.filter(({ problems }) => problems.length > 0).length;
    print([...table(verdicts), "", ...summary(broken, redisUrl !== undefined)]);
    return broken === 0 ? 0 : 1;
  } finally {
    await own?.stop();
  }
}

/** @param {Options["redis"]} redis @param {number} seconds */
function intro(redis, seconds) {
  const servers =
    redis === false
      ? "an HTTP server that keeps its state in memory"
      : `two HTTP servers that share ${redis === true ? "a Redis of the demo's own" : "one Redis"}`;
  return [
    `${paint("throttled", "bold")} · ${servers}`,
    `            ${PER_SECOND} requests/s from real clients, 50/s may pass; a column is ${columnMs(seconds)} ms`,
    "",
  ];
}

/** @param {number} broken @param {boolean} shared */
function summary(broken, shared) {
  if (broken > 0) return [paint(`${broken} of ${SCENES.length} broke the bound of their quota.`, "red")];
  return [
    `${shared ? "The sum of A and B" : "Each"} kept its bound, over the whole run and over every part of it,`,
    "and nothing was limited that there was room for.",
    paint("at most: 50 in each second, or the burst and 50/s from the first to the last", "dim"),
  ];
}
