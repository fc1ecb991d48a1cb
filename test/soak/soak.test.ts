import { describe, expect, test } from "vitest";
import { MemoryStore, Throttled } from "../../src/index.js";
import { runSoak } from "./command.js";
import { Grants } from "./grants.js";
import type { Part } from "./part.js";
import { HotKeys } from "./parts/hot-keys.js";
import { soak } from "./soaking.js";

/** A machine that is busy with something else, and a short run, leave more room than a long one. */
const LIMITS = { pauseMs: 100, heapShare: 0.05, heapBytes: 8 * 2 ** 20 };
const SHORT = { minutes: 2 / 60, limits: LIMITS };

/** A part that does nothing but what it is told. */
function part(name: string, step: () => void, faults: () => string[] = () => []): Part {
  return {
    name,
    step: () => void step(),
    idle: async () => {},
    faults,
    figures: () => ({}),
    close: async () => {},
  };
}

test("everything at once for some seconds leaves nothing behind, and nothing is wrong", async () => {
  const lines: string[] = [];
  const args = ["--minutes", "0.1", "--keys", "5k", "--seed", "1"];
  const code = await runSoak(args, (line) => lines.push(line), LIMITS);
  const told = lines.join("\n");
  expect(told).toMatch(/\nNothing was wrong$/);
  expect(code).toBe(0);
  expect(told).toMatch(/^outages: [1-9]\d* restarts, [1-9]\d* flushes, [1-9]\d* kills$/m);
  expect(told).toMatch(/^memory churn: [\d,]+ calls, 5,000 keys in the largest store$/m);
}, 120_000);

describe("what is wrong is found", () => {
  test("where listeners, timers and the heap grow", async () => {
    const kept: unknown[] = [];
    const timers: NodeJS.Timeout[] = [];
    let next = performance.now();
    const leak = part("leak", () => {
      if (performance.now() < next) return;
      next = performance.now() + 50;
      process.on("SIGUSR2", () => kept.length);
      timers.push(setInterval(() => {}, 60_000));
      kept.push(new Array(250_000).fill(kept.length));
    });
    process.setMaxListeners(1_000);
    try {
      expect(await soak([leak], SHORT)).toEqual([
        expect.stringMatching(/^heap: [\d.]+ → [\d.]+ MB, /),
        expect.stringMatching(/^listeners: \d+ → \d+$/),
        expect.stringMatching(/^handles Timeout: \d+ → \d+$/),
      ]);
    } finally {
      process.removeAllListeners("SIGUSR2");
      process.setMaxListeners(10);
      for (const timer of timers) clearInterval(timer);
    }
  }, 60_000);

  test("where the library holds up the process, and not where somebody else does", async () => {
    const work = (ms: number): void => {
      const before = process.cpuUsage().user;
      while (process.cpuUsage().user - before < 1_000 * ms);
    };
    let next = performance.now();
    const clock = {
      now: () => {
        if (performance.now() >= next) {
          work(30);
          next = performance.now() + 100;
        }
        return Math.round(performance.now());
      },
    };
    const slow = new Throttled({ key: "slow", quota: "1/h", store: new MemoryStore({ clock }) });
    const limits = { ...LIMITS, pauseMs: 20 };
    const options = { minutes: 2 / 60, limits };
    expect(await soak([part("slow clock", () => slow.limitSync())], options)).toEqual([
      expect.stringMatching(
        /^pauses: \d+ above 20 ms, the longest \d+\.\d ms \(slow clock, .+ of test\/soak\/soak\.test\.ts\)$/,
      ),
    ]);
    expect(await soak([part("somebody else", () => work(30))], options)).toEqual([]);
  }, 60_000);

  test("where a store grants too much, or a part says so", async () => {
    const generous = new MemoryStore({ clock: { now: () => Math.round(performance.now() * 10) } });
    const strict = part(
      "other",
      () => {},
      () => ["other: told so"],
    );
    const faults = await soak([new HotKeys("generous", generous), strict], SHORT);
    expect(faults).toContain("other: told so");
    expect(faults.join("\n")).toMatch(/^generous, gcra: store granted \d+, at most [\d.]+ are right$/m);
  }, 60_000);

  test("where nothing is answered, or with an error of no store", () => {
    const grants = new Grants("silent", { atOnce: 1, perSecond: 1 });
    expect(grants.faults()).toEqual(["silent: no answers"]);
    expect(() => grants.countError(new TypeError("odd"))).toThrow("odd");
  });
});

test.each(["0", "soon"])("refuses to run for %s minutes", async (minutes) => {
  await expect(runSoak(["--minutes", minutes], () => {})).rejects.toThrow(
    `Expected --minutes to be a number above 0, got ${minutes}`,
  );
});
