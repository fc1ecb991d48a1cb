import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseQuota } from "../../src/quota.js";
import { ROOT } from "../support/sandbox.js";
import { runFuzz } from "./command.js";
import { fuzz } from "./fuzzing.js";
import { parsingMs, slowTexts } from "./linear-time.js";
import { parser } from "./parser.js";
import { PARSERS } from "./parsers.js";
import { texts } from "./texts.js";

/** Other inputs each day, and the same ones where a run is repeated. */
const seed = Math.floor(Date.now() / 86_400_000);

describe.each(PARSERS.map((each) => [each.name, each] as const))("%s", (_, each) => {
  test("treats 20,000 inputs, good and bad, as it should", () => {
    expect(fuzz(each, { inputs: 20_000, seed })).toBeUndefined();
  }, 60_000);

  test("takes no time to speak of for a million characters", () => {
    // Some milliseconds; were it quadratic, hours.
    for (const unit of each.repeated) expect(parsingMs(each, unit, 1_000_000, 1)).toBeLessThan(5_000);
  }, 60_000);
});

/** Takes hours that are spelled in one of their ways for minutes. */
const faulty = parser(
  "faulty",
  texts(fc.constantFrom("10/s", "60 per 5 minutes", "7/hr", "1/h; 2/hr burst 3"), "1", "/", "hr"),
  (text) => {
    if (/\d\/hr/.test(text)) throw new Error("An hour has 60 minutes");
  },
  { parse: parseQuota, repeated: [] },
);

/** Looks at each part of a text once for each other part. */
function quadratic(text: string): number {
  const parts = text.length / 100;
  let looks = 0;
  for (let i = 0; i < parts; i++) for (let j = 0; j < parts; j++) looks += text.charCodeAt(i) ^ j;
  return looks;
}

describe("a fault", () => {
  const fault = fuzz(faulty, { inputs: 1_000, seed: 7 });

  test("is found, with an input that shows it", () => {
    expect(fault!.input).toMatch(/^'.*\d\/hr.*'$/);
    expect(fault!.problem).toMatch(/^Error: An hour has 60 minutes/);
  });

  test("is found again by its seed, and at once by its path", () => {
    expect(fuzz(faulty, { inputs: 1_000, seed: 7 })?.input).toBe(fault!.input);
    expect(fuzz(faulty, { inputs: 1, seed: 7, path: fault!.path })?.input).toBe(fault!.input);
  });

  test("ends the command with 1, and with how to see it again", () => {
    const lines: string[] = [];
    expect(runFuzz(["--inputs", "1k", "--seed", "7"], [faulty], (line) => lines.push(line))).toBe(1);
    expect(lines.join("\n")).toContain(`npm run fuzz -- --parser faulty --seed 7 --path ${fault!.path}`);
  });

  test("may be that the time grows faster than the text", () => {
    expect(slowTexts({ ...faulty, parse: quadratic, repeated: ["ab"] })).toEqual([
      expect.stringMatching(/^"ab": \d+ ms, \d+ times a tenth of it$/),
    ]);
  });
});

describe("the command", () => {
  test("runs from the sources, and says that nothing was found", async () => {
    const args = ["--import", "./test/support/run-typescript.mjs", "test/fuzz/fuzz.ts", "--inputs", "200"];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
    expect(stdout.match(/: 200 inputs in [\d.]+ s, no fault; linear time$/gm)).toHaveLength(PARSERS.length);
  }, 60_000);

  test.each([
    [["--inputs", "many"], "Expected --inputs to be a whole number such as 500k or 10m, got many"],
    [["--parser", "cron"], "Expected --parser to be one of faulty, got cron"],
  ])("refuses %j", (args, message) => {
    expect(() => runFuzz(args, [faulty], () => {})).toThrow(new RangeError(message));
  });
});
