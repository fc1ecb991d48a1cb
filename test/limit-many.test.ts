import { describe, expect, test } from "vitest";
import { type Decision, MemoryStore, type Store, Throttled } from "../src/index.js";
import { ManualClock } from "../src/testing.js";
import { turn } from "./support/manual-time.js";
import { RemoteStore } from "./support/remote-store.js";

const stores = {
  "a store that answers at once": () => new MemoryStore({ clock: new ManualClock() }),
  "a store behind promises": () => new RemoteStore(new ManualClock()),
};

describe.each(Object.entries(stores))("limitMany on %s", (_name, create) => {
  const setUp = (options = {}) => new Throttled<Store>({ quota: "3/h", store: create(), ...options });

  test("answers each request on its own, in their order", async () => {
    const results = await setUp().limitMany([
      "a",
      { key: "b", cost: 2 },
      "a",
      { key: "b", cost: 2 },
      { key: "a", cost: 0 },
    ]);
    expect(results.map(({ limited, remaining }) => [limited, remaining])).toEqual([
      [false, 2],
      [false, 1],
      [false, 1],
      [true, 1],
      [false, 1],
    ]);
  });

  test("answers with the fields of a result and no others", async () => {
    expect(await setUp().limitMany(["a"])).toStrictEqual([
      {
        limited: false,
        quotaIndex: 0,
        source: "store",
        limit: 3,
        remaining: 2,
        resetAfterMs: 1_200_000,
        retryAfterMs: 0,
      },
    ]);
  });

  test("uses the key of the limiter for requests without one", async () => {
    const limiter = setUp({ key: "own" });
    const results = await limiter.limitMany([{}, { cost: 2 }, "own"]);
    expect(results.map(({ limited }) => limited)).toEqual([false, false, true]);
  });

  test("never waits, whatever the timeout of the limiter says", async () => {
    const limiter = setUp({ timeout: "1d" });
    const results = await limiter.limitMany(["a", "a", "a", "a"]);
    expect(results.map(({ limited }) => limited)).toEqual([false, false, false, true]);
  });

  test("answers nothing to nothing", async () => {
    expect(await setUp().limitMany([])).toEqual([]);
  });
});

test("a limitMany of which one request fails rejects with that failure", async () => {
  const store = new RemoteStore(new ManualClock());
  store.failsOn = (cost) => cost === 2;
  const limiter = new Throttled({ store });
  await expect(limiter.limitMany(["a", { key: "b", cost: 2 }, "c"])).rejects.toThrow("the server is gone");
});

test("a store that now throws and now rejects leaves no unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown): void => void unhandled.push(reason);
  class Moody extends MemoryStore {
    override decide(_limiter: unknown, key: string): Decision {
      if (key === "throws") throw new Error("at once");
      return Promise.reject(new Error("later")) as unknown as Decision;
    }
  }
  process.on("unhandledRejection", listener);
  try {
    await expect(new Throttled({ store: new Moody() }).limitMany(["rejects", "throws"])).rejects.toThrow(
      Error,
    );
    await turn();
  } finally {
    process.off("unhandledRejection", listener);
  }
  expect(unhandled).toEqual([]);
});
