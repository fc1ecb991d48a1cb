import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Connection, Subscriber } from "../../../src/stores/redis/connection.js";
import { News } from "../../../src/stores/redis/news.js";

/** A subscriber of a server that is not there yet. */
class Line extends EventEmitter implements Subscriber {
  status = "wait";
  readonly channels: string[] = [];

  async connect(): Promise<void> {
    this.status = "ready";
    this.emit("ready");
  }

  disconnect(): void {
    this.status = "end";
  }

  async subscribe(channel: string): Promise<void> {
    this.channels.push(channel);
  }
}

let line: Line;
let news: News;

beforeEach(() => {
  vi.useFakeTimers();
  line = new Line();
  news = new News({ subscriber: () => line } as unknown as Connection, "news");
});

afterEach(() => {
  news.close(new Error("over"));
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("a permit holds for what is left of it by the time of the server", () => {
  const onNews = vi.fn();
  news.expect("me", "key", onNews);
  vi.advanceTimersByTime(30);
  news.synchronize(1_000, performance.now());
  vi.advanceTimersByTime(50);
  news.tell("me", 7, 2_000);
  expect(onNews.mock.calls).toEqual([[{ status: "held", token: 7, leftMs: 950 }]]);
  news.tell("me", 8, 3_000);
  expect(onNews).toHaveBeenCalledTimes(1);
});

test("a message tells those who it is for, and a token of 0 that they were sent away", async () => {
  const [mine, yours] = [vi.fn(), vi.fn()];
  news.expect("me", "key", mine);
  news.expect("you", "key", yours);
  news.listen();
  await vi.advanceTimersByTimeAsync(0);
  expect(line.channels).toEqual(["news"]);
  mine.mockClear();
  yours.mockClear();
  line.emit("message", "news", "me 0 0");
  line.emit("message", "news", "nobody 1 1");
  expect(mine.mock.calls).toEqual([[{ status: "none", token: 0, leftMs: 0 }]]);
  expect([news.isExpected("me"), news.isExpected("you"), yours.mock.calls]).toEqual([false, true, []]);
});

test("who waits is told by the first listener it named", () => {
  const [first, second] = [vi.fn(), vi.fn()];
  news.expect("me", "key", first);
  news.expect("me", "key", second);
  news.tell("me", 0, 0);
  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 0]);
});

test.each([
  [0, 112, 562],
  [0.999, 187, 937],
])(
  "those at the head of each line ask again within a second, and no others; random %d",
  async (random, first, next) => {
    vi.spyOn(Math, "random").mockReturnValue(random);
    const asked: string[] = [];
    const moments: number[] = [];
    for (let i = 0; i < 20; i++) news.expect(`${i}`, "long", () => asked.push("long"));
    news.expect("only", "short", () => {
      asked.push("short");
      moments.push(performance.now());
    });
    const start = performance.now();
    news.listen();
    await vi.advanceTimersByTimeAsync(0);
    expect(moments.splice(0)).toEqual([start]);
    asked.length = 0;
    news.listen();
    await vi.advanceTimersByTimeAsync(first + 2 * next + 10);
    expect(asked).toEqual(
      Array(3)
        .fill([...Array(16).fill("long"), "short"])
        .flat(),
    );
    const apart = moments.map((moment, i) => Math.floor(moment - (moments[i - 1] ?? start)));
    expect(apart).toEqual([first, next, next]);
  },
);

test.each([
  ["that is ready is subscribed at once", "ready", ["news"]],
  ["that connects already is subscribed when it is ready", "connecting", []],
])("a connection %s, and not connected again", (_what, status, channels) => {
  line.status = status;
  const connect = vi.spyOn(line, "connect");
  news.expect("me", "key", () => {});
  news.listen();
  expect(line.channels).toEqual(channels);
  if (status !== "ready") line.emit("ready");
  expect(line.channels).toEqual(["news"]);
  expect(connect).not.toHaveBeenCalled();
});

test("a connection that failed or closed makes those who wait ask more often, and throws nothing", async () => {
  const onNews = vi.fn();
  news.expect("me", "key", onNews);
  news.listen();
  await vi.advanceTimersByTimeAsync(1_000);
  line.emit("error", new Error("connection lost"));
  line.emit("close");
  await vi.advanceTimersByTimeAsync(1_000);
  onNews.mockClear();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(onNews.mock.calls.length).toBeGreaterThanOrEqual(5);
});

test("nobody is asked again once nobody waits", async () => {
  const onNews = vi.fn();
  news.expect("me", "key", onNews);
  news.listen();
  await vi.advanceTimersByTimeAsync(0);
  news.forget("me");
  onNews.mockClear();
  await vi.advanceTimersByTimeAsync(10_000);
  expect([onNews.mock.calls.length, vi.getTimerCount()]).toEqual([0, 0]);
});

test("everybody hears why nothing comes any more, once", async () => {
  const onNews = vi.fn();
  news.expect("me", "key", onNews);
  news.listen();
  await vi.advanceTimersByTimeAsync(0);
  onNews.mockClear();
  const over = new Error("closed");
  news.close(over);
  news.close(over);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(onNews.mock.calls).toEqual([[over]]);
  expect(line.status).toBe("end");
});
