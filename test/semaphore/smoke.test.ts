import { expect, test } from "vitest";
import { MemoryStore, Semaphore } from "../../src/index.js";

test("smoke", async () => {
  const s = new Semaphore({ capacity: 2, store: new MemoryStore(), timeout: "2s" });
  const a = await s.acquire("k");
  const b = await s.acquire("k");
  const order: number[] = [];
  const rest = Promise.all(
    [1, 2, 3].map((i) =>
      s.run("k", async (l) => {
        order.push(i);
        return l.token;
      }),
    ),
  );
  await new Promise((r) => setTimeout(r, 5));
  expect(await s.peek("k")).toEqual({ capacity: 2, inUse: 2, waiting: 3 });
  await a.release();
  const tokens = await rest;
  expect(order).toEqual([1, 2, 3]);
  expect([...tokens].sort()).toEqual(tokens);
  await b.release();
  expect(await s.peek("k")).toEqual({ capacity: 2, inUse: 0, waiting: 0 });
  {
    using l = s.acquireSync("k", 2);
    expect(l.expiresInMs).toBeGreaterThan(29_000);
    expect(() => s.acquireSync("k")).toThrow("Concurrency");
  }
  expect(await s.peek("k")).toEqual({ capacity: 2, inUse: 0, waiting: 0 });
});
