import { expect, test } from "vitest";
import { LimitedError } from "../../src/index.js";
import { onManualClock } from "../support/semaphores.js";

test("a method decorated with limit of a semaphore is kept to its permits under legacy decorators", async () => {
  const { semaphore } = onManualClock({ capacity: 2 });
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  class Api {
    base = 40;
    @semaphore.limit() async sum(n: number) {
      await opened;
      return this.base + n;
    }
    @semaphore.limit({ key: (id: string) => id, permits: (_id: string, size: number) => size })
    static async get(id: string, _size: number) {
      return semaphore.peek(id);
    }
  }
  const calls = [new Api().sum(1), new Api().sum(2)];
  await expect(new Api().sum(3)).rejects.toThrow(LimitedError);
  expect(await semaphore.peek("Api.sum")).toMatchObject({ inUse: 2 });
  open();
  expect(await Promise.all(calls)).toEqual([41, 42]);
  expect(await Api.get("key", 2)).toMatchObject({ inUse: 2 });
  expect([Api.prototype.sum.name, Api.prototype.sum.length]).toEqual(["sum", 1]);
});
