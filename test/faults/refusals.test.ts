import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isStoreError } from "../../src/index.js";
import { observeAll, slowest } from "./observe.js";
import { IN_TIME_MS, POLICIES, Rig } from "./rig.js";

interface Refusal {
  readonly name: string;
  readonly server?: readonly string[];
  readonly url?: (rig: Rig) => string;
}

const user = (...rules: string[]): Pick<Refusal, "server" | "url"> => ({
  server: ["--user", "limiter", "on", ">pw", "~*", "+@all", ...rules],
  url: ({ node }) => `redis://limiter:pw@127.0.0.1:${node.port}`,
});

/** Servers that will never serve as they are set up. */
const REFUSALS: readonly Refusal[] = [
  { name: "whose user may not read the key", ...user("-get") },
  { name: "whose user may not write the key", ...user("-set") },
  { name: "whose user may not ask for the time", ...user("-time") },
  { name: "whose user may not load scripts", ...user("-eval") },
  { name: "without EVALSHA", server: ["--rename-command", "EVALSHA", ""] },
  { name: "without EVAL", server: ["--rename-command", "EVAL", ""] },
  { name: "without that database", url: ({ url }) => `${url}/99` },
];

describe.each(REFUSALS)("A server $name", ({ server = [], url }) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start(...server);
    rig.connect(url?.(rig) ?? rig.url);
  });
  afterAll(() => rig.stop());

  test.each(POLICIES)("%s: is a StoreError or a case for the policy, and admits nobody", async (policy) => {
    const calls = Array.from({ length: 10 }, () => () => rig.throttle(policy).limit("key"));
    const outcomes = await observeAll(calls);
    expect(slowest(outcomes)).toBeLessThanOrEqual(IN_TIME_MS);
    for (const { result, error } of outcomes) {
      if (result === undefined) expect(isStoreError(error), String(error)).toBe(true);
      else expect(result.source).toBe(policy === "fallback" ? "fallback" : "policy");
    }
    if (policy === "throw")
      expect(outcomes.map(({ result }) => result)).not.toContainEqual(expect.anything());
  });
});
