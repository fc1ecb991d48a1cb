import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AlgorithmName } from "../../src/index.js";
import { ALGORITHMS } from "../support/algorithms.js";
import { ROOT } from "../support/sandbox.js";
import { BEHAVIOURS, type Behaviour, STORES_THAT_ARE_DOWN } from "./express-rate-limit-behaviours.js";
import { ourSide, type Side, serve, theirSide } from "./express-rate-limit-sides.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

afterAll(async () => {
  for (const store of Object.values(STORES_THAT_ARE_DOWN)) await store.close();
});

const setTime = (now: number): void => void vi.setSystemTime(now);

/** What shows of a behaviour, or why the limiter can't be made. */
async function seen({ app, observe }: Behaviour, make: () => Side): Promise<unknown> {
  let side: Side;
  try {
    side = make();
  } catch (error) {
    return String(error);
  }
  const server = await serve(side, app);
  try {
    return await observe(server);
  } finally {
    await server.close();
  }
}

const theirs = (behaviour: Behaviour) => seen(behaviour, () => theirSide(behaviour.theirs, setTime));
const ours = (behaviour: Behaviour, using: AlgorithmName) =>
  seen(behaviour, () => ourSide(behaviour.ours, using, setTime));

describe.each(BEHAVIOURS)("$does", (behaviour) => {
  const { observed } = behaviour;

  test("by express-rate-limit", async () => {
    expect(await theirs(behaviour)).toEqual("both" in observed ? observed.both : observed.theirs);
  });

  test.each("both" in observed ? ALGORITHMS : (["token-bucket"] as const))(
    `${"both" in observed ? "the same" : "different"} by throttled/express, %s`,
    async (using) => {
      expect(await ours(behaviour, using)).toEqual("both" in observed ? observed.both : observed.ours);
    },
  );
});

test("the page on HTTP has a row for each of these, and says of each whether it is the same", () => {
  const page = readFileSync(join(ROOT, "docs/http.md"), "utf8");
  const [, section] = page.split("\n## Coming from express-rate-limit\n");
  const rows = [...section!.split("\n## ")[0]!.matchAll(/^\| (.+?) \| (same|different)\b.* \|$/gm)];
  expect(rows.map(([, does, verdict]) => `${verdict}: ${does}`)).toEqual(
    BEHAVIOURS.map(({ does, observed }) => `${"both" in observed ? "same" : "different"}: ${does}`),
  );
});
