import { type AlgorithmName, Limiter, type RateLimitResult } from "../../src/index.js";
import { ModelKey } from "../model/model-key.js";

/** One call of a process; what is given back has units below 0. */
export interface Call {
  readonly units: number;
  /** When it was made, and when it was answered, in nanoseconds by a clock that all processes share. */
  readonly start: bigint;
  readonly end: bigint;
  /** What it was told; nothing of what is given back. */
  readonly result: RateLimitResult | null;
}

/** What a script call was asked about a key, at a moment of the server's clock. */
interface Entry {
  readonly now: number;
  readonly units: readonly number[];
}

/** The calls on one key, and what its script calls wrote down in the order in which the server carried them out. */
export interface KeyHistory {
  readonly using: AlgorithmName;
  readonly quota: string;
  readonly calls: ReadonlyMap<number, Call>;
  readonly written: readonly string[];
}

/**
 * What is wrong with the history of a key: answers that the reference model does not give if the calls are carried out one
 * after the other in that order, calls that were carried out twice or never, and an order that real time rules out.
 */
export function anomaliesOf({ using, quota, calls, written }: KeyHistory): string[] {
  const model = new ModelKey(using, new Limiter(using, quota).quotas);
  const anomalies: string[] = [];
  const left = new Map(calls);
  let latestStart = -1n;
  for (const { now, units } of written.map(parse)) {
    for (const each of units) {
      const expected = model.decide(now, each, 0);
      const call = left.get(each);
      if (call === undefined) {
        anomalies.push(`${each} units: carried out ${calls.has(each) ? "twice" : "for nobody"}`);
        continue;
      }
      left.delete(each);
      if (call.result !== null && !isTold(call.result, expected)) {
        anomalies.push(`${each} units: told ${JSON.stringify(call.result)}, not ${JSON.stringify(expected)}`);
      }
      if (call.end < latestStart) anomalies.push(`${each} units: carried out after a call that came later`);
      if (call.start > latestStart) latestStart = call.start;
    }
  }
  for (const units of left.keys()) anomalies.push(`${units} units: never carried out`);
  return anomalies;
}

function isTold(result: RateLimitResult, expected: ReturnType<ModelKey["decide"]>): boolean {
  return (["limited", "quotaIndex", "limit", "remaining", "resetAfterMs", "retryAfterMs"] as const).every(
    (field) => result[field] === expected[field],
  );
}

/** Reads `now calls limiter`, where the calls are one number of units, or three numbers each: times, units, maxWaitMs. */
function parse(line: string): Entry {
  const [now, ...numbers] = /^[\d -]+/.exec(line)![0].trim().split(" ").map(Number) as [number, ...number[]];
  const units = numbers.length === 1 ? numbers : numbers.filter((_, i) => i % 3 === 1);
  return { now, units };
}
