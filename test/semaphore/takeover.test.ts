import { beforeEach, describe, expect, test } from "vitest";
import {
  type Arrangement,
  type Lease,
  MemoryStore,
  Semaphore,
  type SemaphoreRequest,
  type SemaphoreRules,
  type Store,
} from "../../src/index.js";
import { FailurePolicy, outage } from "../../src/stores/failure-policy.js";
import { ManualClock } from "../../src/testing.js";
import { turn } from "../support/manual-time.js";

const LEASE_MS = 300;
const RULES: SemaphoreRules = { capacity: 1, maxWaiting: 100 };

/** A question to the store, which the test answers. */
interface Question {
  readonly request: SemaphoreRequest;
  readonly answer: (arrangement: Arrangement) => void;
  readonly fail: (error: unknown) => void;
}

let clock: ManualClock;
let fallback: MemoryStore;
let questions: Question[];
let semaphore: Semaphore<Store>;

beforeEach(() => {
  clock = new ManualClock();
  fallback = new MemoryStore({ clock });
  questions = [];
  const store: Store = {
    name: "slow",
    sync: false,
    clock,
    decide: () => expect.unreachable(),
    reset: () => {},
    arrange: (_key, _rules, request) =>
      new Promise((answer, fail) => {
        questions.push({ request: request!, answer, fail });
      }),
  };
  semaphore = new Semaphore({ capacity: 1, store, lease: LEASE_MS, timeout: "1h" });
});

/** Lets the call that waits ask a second time, before its first question is answered. */
function askAgain(): readonly [first: Question, second: Question] {
  questions[0]!.request.onNews!();
  return [questions[0]!, questions[1]!];
}

/** The answer of the fallback in place of the store. */
function byFallback({ request }: Question): Promise<Arrangement> {
  const error = outage("slow", "arrange", "out of reach", "unreachable");
  return new FailurePolicy(fallback).arrange(error, "key", RULES, request);
}

function holdFallback(): Lease {
  return new Semaphore({ capacity: 1, store: fallback, lease: "1h" }).acquireSync("key");
}

describe("A call that asked twice", () => {
  test("does not fail as long as one of its questions may be answered", async () => {
    const call = semaphore.acquire("key");
    const [first, second] = askAgain();
    second.fail(new Error("out of reach"));
    await turn();
    first.answer(await byFallback(first));
    expect((await call).token).toBeGreaterThan(0);
  });

  test("waits on at the store that took it over when the other question fails", async () => {
    const held = holdFallback();
    const call = semaphore.acquire("key");
    const [first, second] = askAgain();
    clock.advance(LEASE_MS - 1);
    first.answer(await byFallback(first));
    await turn();
    clock.advance(1);
    second.fail(new Error("out of reach"));
    await turn();
    await held.release();
    expect((await call).token).toBeGreaterThan(held.token);
  });

  test("takes nothing from the store that it has left, and gives it back there", async () => {
    const held = holdFallback();
    const call = semaphore.acquire("key");
    const [first, second] = askAgain();
    first.answer(await byFallback(first));
    await turn();
    second.answer({ status: "held", token: 7, leftMs: LEASE_MS, inUse: 1, waiting: 0 });
    await turn();
    expect(questions[2]?.request).toMatchObject({ act: "release", id: second.request.id });
    await held.release();
    expect((await call).token).toBeGreaterThan(held.token);
  });

  test("takes no news of the store that it has left for those of the other", async () => {
    const held = holdFallback();
    const call = semaphore.acquire("key");
    const [first, second] = askAgain();
    first.answer(await byFallback(first));
    await turn();
    second.request.onNews!({ status: "held", token: 7, leftMs: LEASE_MS });
    await turn();
    expect(questions[2]?.request).toMatchObject({ act: "release", id: second.request.id });
    await held.release();
    expect((await call).token).toBeGreaterThan(held.token);
  });
});

describe("An answer to a call that was aborted", () => {
  test.each<[string, Partial<Arrangement>, string[]]>([
    ["is given back if it is a permit", { status: "held" }, ["wait", "release", "release"]],
    ["is given back if it is a place in line", { status: "waiting" }, ["wait", "release", "release"]],
    ["is nothing to give back if it is a refusal", { status: "none" }, ["wait", "release"]],
    ["is nothing to give back if no store gave it", { status: "held", by: "policy" }, ["wait", "release"]],
  ])("%s", async (_, answer, acts) => {
    const controller = new AbortController();
    const call = semaphore.acquire("key", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    questions[0]!.answer({ status: "held", token: 7, leftMs: LEASE_MS, inUse: 1, waiting: 0, ...answer });
    await turn();
    expect(questions.map(({ request }) => request.act)).toEqual(acts);
  });
});

test("A place in line is kept for as long as its lease when the store fails, and no longer", async () => {
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await turn();
  };
  const down = new Error("out of reach");
  let end: unknown;
  semaphore.acquire("key").catch((error: unknown) => {
    end = error;
  });
  questions[0]!.answer({ status: "waiting", token: 7, leftMs: LEASE_MS, inUse: 1, waiting: 1 });
  await pass(LEASE_MS / 3);
  questions[1]!.fail(down);
  await pass(LEASE_MS / 3);
  await pass(LEASE_MS / 3 - 1);
  questions[2]!.fail(down);
  await turn();
  expect(end).toBeUndefined();
  await pass(1);
  questions[3]!.fail(down);
  await turn();
  expect(end).toBe(down);
  expect(questions.map(({ request }) => request.act)).toEqual(["wait", "wait", "wait", "wait", "release"]);
});
