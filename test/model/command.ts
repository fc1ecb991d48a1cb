import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { count, oneOf } from "../support/command-line.js";
import { startRedis } from "../support/redis-server.js";
import { SUBJECTS } from "./games.js";
import { type SideName, table } from "./sides.js";
import { type Failure, type Progress, type Verification, verify } from "./verification.js";

/** What the command line asks for. */
export interface VerifyOptions extends Verification {
  readonly store: SideName | "both";
}

const STORES: Readonly<Record<VerifyOptions["store"], readonly SideName[]>> = {
  memory: ["memory"],
  redis: ["redis"],
  both: ["memory", "redis"],
};

/** Programs that are played at once, so that the server always has something to do. */
const MOST_TABLES = 48;

/** Operations for which another table is worth it. */
const TABLE_OPS = 1_000;

/** Reads `--ops 10m --seed 1 --store both --only gcra`. @throws TypeError, RangeError that says what is wrong. */
export function verifyOptions(args: readonly string[]): VerifyOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ops: { type: "string", default: "1m" },
      seed: { type: "string", default: String(randomInt(2 ** 32)) },
      store: { type: "string", default: "both" },
      only: { type: "string" },
    },
  });
  return {
    ops: count("ops", values.ops),
    seed: count("seed", values.seed),
    store: oneOf("store", values.store, Object.keys(STORES) as VerifyOptions["store"][]),
    subjects: values.only === undefined ? SUBJECTS : [oneOf("only", values.only, SUBJECTS)],
  };
}

/** Verifies as the command line asks, and says what it found. @returns the exit code. */
export async function runVerify(args: readonly string[]): Promise<number> {
  const options = verifyOptions(args);
  const { ops, store, seed } = options;
  const sides = STORES[store];
  const server = sides.includes("redis") ? await startRedis() : undefined;
  const client = server && new Redis(server.url, { enableAutoPipelining: true });
  const atOnce = client === undefined ? 1 : Math.min(MOST_TABLES, Math.ceil(ops / TABLE_OPS));
  const tables = Array.from({ length: atOnce }, () => table(sides, client));
  try {
    const start = performance.now();
    console.log(`Seed ${seed}, ${store === "both" ? "memory and Redis" : store}`);
    const meter = new Meter(start);
    const failure = await verify(options, tables, (progress) => meter.show(progress));
    meter.show(meter.last, true);
    if (failure === undefined) console.log("No difference");
    else console.log(reportOf(failure, options));
    return failure === undefined ? 0 : 1;
  } finally {
    await Promise.all(tables.flatMap((each) => each.sides.map((side) => side.close?.())));
    client?.disconnect();
    await server?.stop();
  }
}

/** Says every few seconds how far it is. */
class Meter {
  last: Progress = { ops: 0, onServer: 0, programs: 0 };
  readonly #start: number;
  #shown: number;

  constructor(start: number) {
    this.#start = start;
    this.#shown = start;
  }

  show(progress: Progress, always = false): void {
    this.last = progress;
    const now = performance.now();
    if (!always && now - this.#shown < 5_000) return;
    this.#shown = now;
    const seconds = (now - this.#start) / 1_000;
    const { ops, onServer } = progress;
    const onRedis = onServer > 0 ? `, ${whole(onServer)} of them on Redis` : "";
    console.log(
      `${whole(ops)} operations${onRedis}, in ${whole(seconds)} s: ${whole(ops / seconds)} each second`,
    );
  }
}

function whole(number: number): string {
  return Math.round(number).toLocaleString("en");
}

function reportOf({ seed, program, difference }: Failure, { store, subjects }: VerifyOptions): string {
  const steps = program.steps.map((step) => `  ${JSON.stringify(step)}`).join("\n");
  const only = subjects.length === 1 ? ` --only ${subjects[0]}` : "";
  return `
A difference. The shortest program that shows it:
  ${JSON.stringify(program.setup)}
${steps}
${difference}

Again: npm run verify -- --seed ${seed} --ops 1 --store ${store}${only}`;
}
