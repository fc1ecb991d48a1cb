import { expect, test } from "vitest";
import { runModule } from "./node.js";

const ended = (output: string) => ({ output: `${output}\n`, code: 0, signal: null });
const setUp = `
  import { Throttled } from "throttled";
  const limiter = new Throttled({ key: "k", quota: "1/200ms" });
  process.on("exit", () => console.log("exit"));
`;

test("a process that limits ends by itself", async () => {
  expect(await runModule(`${setUp} await limiter.limit(); limiter.limitSync();`)).toEqual(ended("exit"));
});

test("a process ends by itself after a wait that is over", async () => {
  const source = `${setUp}
    await Promise.all([1, 2, 3].map(() => limiter.limit(undefined, { timeout: "1h" })));
    console.log("waited");`;
  expect(await runModule(source)).toEqual(ended("waited\nexit"));
});

test("a pending wait keeps the process alive until its moment", async () => {
  const source = `${setUp}
    limiter.limitSync();
    const before = performance.now();
    limiter.limit(undefined, { timeout: "1s" }).then(() => console.log(performance.now() - before > 150));`;
  expect(await runModule(source)).toEqual(ended("true\nexit"));
});

test("a process that holds permits ends by itself, and one that waits for some does not before its time", async () => {
  const source = `
    import { Semaphore } from "throttled";
    const semaphore = new Semaphore({ key: "k", capacity: 1 });
    process.on("exit", () => console.log("exit"));
    const lease = await semaphore.acquire();
    if (WAITS)
      semaphore.acquire("k", { timeout: "300ms" }).catch((error) => console.log(error.name, lease.expiresInMs > 0));`;
  expect(await runModule(source.replace("WAITS", "false"))).toEqual(ended("exit"));
  expect(await runModule(source.replace("WAITS", "true"))).toEqual(ended("LimitedError true\nexit"));
});

test("a process ends by itself after a long wait was aborted", async () => {
  const source = `
    import { Throttled } from "throttled";
    const limiter = new Throttled({ key: "k", quota: "1/w" });
    const controller = new AbortController();
    limiter.limitSync();
    for (let i = 0; i < 200; i++) {
      limiter.limit(undefined, { timeout: "52w", signal: controller.signal }).catch(() => {});
    }
    setImmediate(() => controller.abort());
    process.on("exit", () => console.log(limiter.peekSync().resetAfterMs <= 604_800_000));`;
  const { output, code, signal } = await runModule(source);
  expect({ last: output.trim().split("\n").includes("true"), code, signal }).toEqual({
    last: true,
    code: 0,
    signal: null,
  });
});

test("a rejection that nobody handles is the caller's own, and the only one", async () => {
  const source = `${setUp}
    process.on("unhandledRejection", (error) => console.log(error.name));
    limiter.limitSync();
    limiter.acquire();`;
  expect(await runModule(source)).toEqual(ended("LimitedError\nexit"));
});
