// @ts-check
// Flips every operator of the Lua twins, one at a time, and says of which flips no test took notice.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mutantsOf } from "./lua-mutants.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const VITEST = join(ROOT, "node_modules/vitest/vitest.mjs");
const CONFIG = join(ROOT, "test/mutation/lua.vitest.config.ts");

/** What the model says of some games that are played on Redis. @param {string} games @returns {readonly string[]} */
const model = (games) => ["test/model/verify.test.ts", "--testNamePattern", `(${games}) .*on Redis`];
const REST_OF_LIMITS = [["test/stores/redis"]];
const EVERY_ALGORITHM = "fixed-window|sliding-window|token-bucket|leaky-bucket|gcra";

/** The tests that know each file, by arguments of Vitest, the quickest first. @type {Readonly<Record<string, readonly (readonly string[])[]>>} */
const TESTS = {
  "src/algorithms/all-of.lua": [model(EVERY_ALGORITHM), ...REST_OF_LIMITS],
  "src/algorithms/bucket.lua": [model("token-bucket|leaky-bucket"), ...REST_OF_LIMITS],
  "src/algorithms/fixed-window.lua": [model("fixed-window"), ...REST_OF_LIMITS],
  "src/algorithms/leaky-bucket.lua": [model("leaky-bucket"), ...REST_OF_LIMITS],
  "src/algorithms/limiter.lua": [model(EVERY_ALGORITHM), ...REST_OF_LIMITS],
  "src/algorithms/sliding-window.lua": [model("sliding-window"), ...REST_OF_LIMITS],
  "src/integrations/pause.lua": [["test/integrations/pause.test.ts"]],
  "src/semaphore/state.lua": [model("semaphore"), ["test/semaphore/redis.test.ts"]],
  "src/stores/redis/entries.lua": [["test/storage.test.ts"]],
};

/**
 * Flips of the marked operators that change nothing that anybody could see, and why.
 * @type {Readonly<Record<string, Readonly<Record<string, string>>>>}
 */
const EQUIVALENT = {
  "src/algorithms/bucket.lua": {
    "local algorithm = { additive = «true», size = 1 }":
      "it makes equal calls quicker, and changes no answer",
    "if level «>» 0 then return level end": "for a level of 0 both are 0",
    "if over «>» 0 then return ceil(over / self.drain) end": "for 0 both are 0",
  },
  "src/algorithms/fixed-window.lua": {
    "local algorithm = { additive = «true», size = 1 }":
      "it makes equal calls quicker, and changes no answer",
  },
  "src/algorithms/limiter.lua": {
    "if size «<=» 32 then": "32 numbers are read either way",
    "if cost == 0 and maxWaitMs >= 0 then return «false», false end": "who asks again gets the same answer",
    "if waiting «>» 0 then advance(limiter, record, at) end":
      "to charge advances as well, and to advance to the same moment is nothing",
    "elseif cost «<» 0 or maxWaitMs < 0 then": "who asks has gone by then, unless maxWaitMs is below 0",
    "if cost «<» 0 and limiter.algorithm.resetAfterMs(limiter.quota, record, 2, record[1], record[1]) == 0 then":
      "no record is kept of which that is true",
    "if resetMs «>» MAX_SAFE_INTEGER then return { err = NOT_A_RECORD } end":
      "no record comes to exactly that",
    "local at = from «>» now and from or now": "at the same moment both are now",
    "elseif cost and record[1] «-» now <= limiter.quota.refillMs then":
      "the other way decides alike, and takes longer",
    "elseif cost and record[1] - now «<=» limiter.quota.refillMs then":
      "the other way decides alike, and takes longer",
    "if times «>» 1 and cost > 0 and maxWaitMs == 0 and limiter.algorithm.additive then":
      "one call at once is one call",
    "if times > 1 and cost «>» 0 and maxWaitMs == 0 and limiter.algorithm.additive then":
      "who asks changes nothing, once or often",
    "while i «<» #numbers do": "there are three numbers for each call",
    "before = { unpack(numbers, i, i + limiter.size «-» 1) }": "what is behind the record is not looked at",
    "after = { unpack(numbers, i + limiter.size, i + 2 * limiter.size «-» 1) }":
      "what is behind the record is not looked at",
  },
  "src/algorithms/sliding-window.lua": {
    "if isNow and numbers[i «+» 2] == 0 and used + weighted(self, numbers[i], now) <= self.limit then":
      "the other way decides alike, and takes longer",
    "if isNow and numbers[i + 2] == 0 and used + weighted(self, numbers[i], now) «<=» self.limit then":
      "the other way decides alike, and takes longer",
    "local wait = algorithm.wait(self, numbers, i, from, now, cost, «false»)": "nobody is paced",
    "if left «<» 0 then return giveBack(self, numbers, i, windows, units - current) end":
      "a window that is full and an empty one after it are two ways to say the same",
    "return left > 0 and left «*» self.periodMs - now % self.periodMs or 0":
      "the slower quota beside it, for which the place was booked, keeps the record for longer",
    "return left > 0 and left * self.periodMs «-» now % self.periodMs or 0":
      "the slower quota beside it, for which the place was booked, keeps the record for longer",
    "return left > 0 and left * self.periodMs - now «%» self.periodMs or 0":
      "the slower quota beside it, for which the place was booked, keeps the record for longer",
    "local algorithm = { additive = «true», size = 3 }":
      "it makes equal calls quicker, and changes no answer",
  },
  "src/semaphore/state.lua": {
    "if standing «>» 0 then inUse = inUse - termsOf(id) else waiting = waiting - 1 end": "it is not 0 here",
    "asked[id] = «true»": "who hears of its permit twice has it once",
  },
  "src/integrations/pause.lua": {
    "numbers[i] = cost «<» 0 and max(left + cost, 0) or min(max(left, cost), self.capacity)":
      "for a cost of 0 both sides are what is left",
  },
};

/** Longer than any of these tests take; a mutant that hangs is one that was noticed. */
const MOST_MS = 180_000;

const only = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "throttled-mutants-"));
try {
  process.exitCode = (await main()) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

async function main() {
  const files = Object.keys(TESTS).filter(
    (file) => only.length === 0 || only.some((name) => file.includes(name)),
  );
  const all = files.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    const lines = text.split("\n");
    return mutantsOf(text)
      .filter(({ line, column, from }) => {
        const [before, after] = [lines[line - 1]?.slice(0, column - 1), lines[line - 1]?.slice(column - 1)];
        return EQUIVALENT[file]?.[`${before}«${from}»${after?.slice(from.length)}`.trim()] === undefined;
      })
      .map((mutant) => ({ file, ...mutant }));
  });
  const waiting = [...all.entries()];
  /** @type {string[]} */
  const survivors = [];
  let done = 0;
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [i, mutant] = next;
      const name = `${mutant.file}:${mutant.line}:${mutant.column} ${mutant.from} → ${mutant.to || "nothing"}`;
      if (!(await isNoticed(i, mutant))) {
        survivors.push(name);
        console.log(`survived: ${name}`);
      }
      done++;
      if (done % 20 === 0) console.log(`${done} of ${all.length}, ${survivors.length} survived`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  console.log(`\n${all.length - survivors.length} of ${all.length} flips were noticed.`);
  return survivors.length === 0;
}

/** @param {number} i @param {{ file: string, source: string }} mutant @returns {Promise<boolean>} */
async function isNoticed(i, { file, source }) {
  const path = join(folder, `${i}.lua`);
  writeFileSync(path, source);
  for (const tests of TESTS[file] ?? []) {
    if (await fails(file, path, tests)) return true;
  }
  return false;
}

/** @param {string} file @param {string} path @param {readonly string[]} tests @returns {Promise<boolean>} */
function fails(file, path, tests) {
  return new Promise((resolve) => {
    const run = spawn(
      process.execPath,
      [VITEST, "run", "--config", CONFIG, "--coverage=false", "--bail=1", "--maxWorkers=1", ...tests],
      {
        cwd: ROOT,
        stdio: "ignore",
        timeout: MOST_MS,
        env: { ...process.env, MUTATED_FILE: join(ROOT, file), MUTATED_SOURCE: path },
      },
    );
    run.on("close", (code) => resolve(code !== 0));
  });
}
