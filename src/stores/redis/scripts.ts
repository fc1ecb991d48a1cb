import { createHash } from "node:crypto";
import type { AlgorithmType } from "../../algorithms/algorithm.js";
import allOf from "../../algorithms/all-of.lua";
import bucket from "../../algorithms/bucket.lua";
import fixedWindow from "../../algorithms/fixed-window.lua";
import gcra from "../../algorithms/gcra.lua";
import leakyBucket from "../../algorithms/leaky-bucket.lua";
import limiter from "../../algorithms/limiter.lua";
import slidingWindow from "../../algorithms/sliding-window.lua";
import tokenBucket from "../../algorithms/token-bucket.lua";

/** A script as Redis knows it: its text, and the digest by which it is called once it is loaded. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/** What the Lua files have in common; names of their own are found faster than those in tables. */
const CONSTANTS = `local MAX_SAFE_INTEGER, LAST_MOMENT_MS = 2 ^ 53 - 1, 2 ^ 52
local NOT_A_RECORD = 'ERR the key does not hold a record of this limiter'
local floor, ceil, max, min, huge = math.floor, math.ceil, math.max, math.min, math.huge
local find, format, gmatch, match, rep = string.find, string.format, string.gmatch, string.match, string.rep
local concat, call, pcall = table.concat, redis.call, redis.pcall
`;

const TWINS = {
  "fixed-window": fixedWindow,
  "sliding-window": slidingWindow,
  "token-bucket": bucket + tokenBucket,
  "leaky-bucket": bucket + leakyBucket,
  gcra: bucket + gcra,
};

/** The script for every algorithm of this package, so that calls under any of them travel together. */
const common = script(TWINS);

/** The script that decides for an algorithm. @throws TypeError if the algorithm has no Lua twin. */
export function scriptOf({ algorithmName, lua }: AlgorithmType): Script {
  if (lua !== undefined) return script({ [algorithmName]: lua });
  if (Object.hasOwn(TWINS, algorithmName)) return common;
  throw new TypeError(
    `Expected the algorithm "${algorithmName}" to have a twin in \`lua\`, which RedisStore needs`,
  );
}

/** Twins come to life only where they are asked for: to define their functions takes longer than to decide. */
function script(twins: Readonly<Record<string, string>>): Script {
  const definitions = Object.entries(twins).map(
    ([name, lua]) => `if name == "${name}" then\n${lua}\nreturn algorithm\nend\n`,
  );
  const source = `${CONSTANTS}
local function algorithmOf(name)
${definitions.join("")}end
local function allOf(algorithm, parts)
${allOf}end
${limiter}`;
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}
