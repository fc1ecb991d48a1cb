import { expect, inject, test } from "vitest";
import { freePort } from "../support/redis-server.js";
import { Worker } from "../support/worker.js";

const SCRIPT = new URL("exit-worker.mjs", import.meta.url);
const ALLOWED = expect.objectContaining({ limited: false });

/** What a process has done last, and what it has to say of it. */
const SCENARIOS: [string, unknown][] = [
  ["a call in memory", "done"],
  ["waits in memory", [ALLOWED, ALLOWED, ALLOWED]],
  ["waits of an hour that were aborted", ["fulfilled", "rejected", "rejected"]],
  ["a Redis store that was closed", "done"],
  ["a Redis store that was disposed of", "done"],
  ["a Redis store that was closed before it was connected", "done"],
  ["a Redis store that was closed while calls were under way", "done"],
  ["a Redis store whose server is not there", "rejected"],
  ["waits on Redis", [ALLOWED, ALLOWED, ALLOWED]],
  ["waits on Redis of which the last was aborted", "rejected"],
  ["permits in memory that are still held", "done"],
  ["waits for permits in memory that were aborted", ["rejected", "rejected"]],
  ["permits and waits on Redis, all of which are over", [true, true, true]],
  [
    "permits on Redis that are still held, and waits, when the store was closed",
    ["StoreError", "StoreError"],
  ],
];

test.each(SCENARIOS)("a process ends by itself after %s", async (scenario, said) => {
  const input = { scenario, url: inject("redisUrl"), dead: `redis://127.0.0.1:${await freePort()}` };
  await using worker = new Worker(SCRIPT, input);
  expect(await worker.receive()).toEqual(said);
  expect(await worker.ended).toEqual({ code: 0, signal: null, complaints: "" });
});
