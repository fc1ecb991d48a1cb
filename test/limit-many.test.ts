import { describe, expect, test } from "vitest";
import { MemoryStore, type Store, Throttled } from "../src/index.js";
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

test("a MemoryStore decides all of a limitMany at one moment", async () => {
  class Restless extends ManualClock {
    /** A clock that goes on between two looks at it. */
    override now(): number {
      this.advance(1);
      return super.now();
    }
  }
  const limiter = new Throttled({ quota: "1/m", store: new MemoryStore({ clock: new Restless() }) });
  const results = await limiter.limitMany(["a", "a", "b", "a"]);
  expect(results.map(({ limited, resetAfterMs }) => [limited, resetAfterMs])).toEqual([
    [false, 60_000],
    [true, 60_000],
    [false, 60_000],
    [true, 60_000],
  ]);
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
  const moody: Store = {
    name: "moody",
    sync: false,
    decide(_limiter, key) {
      if (key === "throws") throw new Error("at once");
      return Promise.reject(new Error("later"));
    },
    reset() {},
  };
  process.on("unhandledRejection", listener);
  try {
    await expect(new Throttled({ store: moody }).limitMany(["rejects", "throws"])).rejects.toThrow(Error);
    await turn();
  } finally {
    process.off("unhandledRejection", listener);
  }
  expect(unhandled).toEqual([]);
});
