import { expect, test } from "vitest";
import { shared } from "./support/shared.js";

const stopped: number[] = [];
let count = 0;
const made = shared(
  async () => ++count,
  (each) => stopped.push(each),
);

test("what tests share is there for the first", () => {
  expect(made()).toBe(1);
});

test("what tests share is the same for the next", () => {
  expect(made()).toBe(1);
});

test("what tests share is made anew for one that failed and is run again", { retry: 1 }, () => {
  expect([made(), stopped]).toEqual([2, [1]]);
});

test("what tests share stays for those after it", () => {
  expect([made(), stopped]).toEqual([2, [1]]);
});
