import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as undici from "undici";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { LimitedError, MemoryStore, type Store, Throttled } from "../../src/index.js";
import { throttledFetch } from "../../src/integrations/fetch.js";
import { PAUSES } from "../../src/integrations/pause.js";
import { RedisStore } from "../../src/redis.js";
import { ManualClock } from "../../src/testing.js";
import { freePort } from "../support/redis-server.js";

/** What the far side answers; 200 by default. */
interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request as the far side got it. */
interface Arrival {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let url: string;
let arrivals: Arrival[];
/** The answers to come; after the last of them all are 200. */
let replies: Reply[];
/** Holds answers back until it is called. */
let hold: Promise<unknown> | undefined;
let clock: ManualClock;
let store: MemoryStore;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request) body += chunk;
  const { method = "", url: path = "", headers } = request;
  arrivals.push({ method, path, headers, body });
  const { status = 200, headers: more = {}, body: text = "fine" } = replies.shift() ?? {};
  await hold;
  response.writeHead(status, more).end(text);
}

const server = createServer((request, response) => {
  // Whoever aborts a request tears down its connection.
  answer(request, response).catch(() => {});
});

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  arrivals = [];
  replies = [];
  hold = undefined;
  clock = new ManualClock();
  store = new MemoryStore({ clock });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const paths = () => arrivals.map(({ path }) => path);
const asleep = (sleepers = 1) => vi.waitFor(() => expect(clock.sleepers).toBe(sleepers), 10_000);
const arrived = (count: number) => vi.waitFor(() => expect(arrivals.length).toBe(count), 10_000);
const pausedMs = (key: string) => store.decide(PAUSES, key, 0, 0).resetAfterMs;
const slowDown = (seconds: number, body = "slow down"): Reply => ({
  status: 429,
  headers: { "retry-after": `${seconds}` },
  body,
});

/** What becomes of a call that is aborted. */
const ending = (call: Promise<unknown>) => call.then(String, (error: unknown) => error);

describe("a call", () => {
  test.each<[string, () => Parameters<typeof fetch>]>([
    ["a text", () => [`${url}/a?b=c`, { method: "POST", headers: { x: "y" }, body: "hello" }]],
    ["a URL", () => [new URL(`${url}/a?b=c`), { method: "POST", headers: { x: "y" }, body: "hello" }]],
    [
      "a Request",
      () => [new Request(`${url}/a?b=c`, { method: "POST", headers: { x: "y" }, body: "hello" })],
    ],
    [
      "a Request and more",
      () => [
        new Request(`${url}/a?b=c`, { headers: { x: "z" } }),
        { method: "POST", headers: { x: "y" }, body: "hello" },
      ],
    ],
  ])("goes where %s says, as without a limit", async (_, args) => {
    const response = await throttledFetch({ store })(...args());
    expect(Object.prototype.toString.call(response)).toBe("[object Response]");
    expect(await response.text()).toBe("fine");
    expect(arrivals).toMatchObject([{ method: "POST", path: "/a?b=c", body: "hello", headers: { x: "y" } }]);
  });

  test("hands all of its arguments on, and looks the platform's `fetch` up when it is made", async () => {
    const fetch = throttledFetch({ store }) as (...args: unknown[]) => Promise<Response>;
    const sent: unknown[][] = [];
    vi.stubGlobal("fetch", async (...args: unknown[]) => {
      sent.push(args);
      return new Response("stub");
    });
    const args = [`${url}/`, { method: "GET" }, { more: true }];
    expect(await (await fetch(...args)).text()).toBe("stub");
    expect(sent).toEqual([args]);
  });

  test("rejects where the platform has no `fetch`, or the address is none", async () => {
    for (const address of ["nowhere", null, {}]) {
      await expect(throttledFetch({ store })(address as string)).rejects.toThrow("Invalid URL");
    }
    vi.stubGlobal("fetch", undefined);
    await expect(throttledFetch({ store })(url)).rejects.toThrow(
      new TypeError("Expected `fetch` to be a function, got undefined"),
    );
  });

  test("to a path is one to the origin of the page, where there is one", async () => {
    vi.stubGlobal("location", { href: `${url}/page` });
    vi.stubGlobal("fetch", async () => new Response());
    const fetch = throttledFetch({ store, quota: "1/m", timeout: 0 });
    await fetch("/a");
    await expect(fetch("b")).rejects.toMatchObject({ name: "LimitedError", key: url });
  });

  test("works with undici's fetch, its Request and its dispatchers", async () => {
    replies = [slowDown(1)];
    const dispatcher = new undici.Agent({ connections: 1 });
    const fetch = throttledFetch({ store, fetch: undici.fetch });
    const call = fetch(new undici.Request(`${url}/a`), { dispatcher });
    await asleep();
    clock.advance(1_000);
    expect(await (await call).text()).toBe("fine");
    expect(paths()).toEqual(["/a", "/a"]);
    await dispatcher.close();
  });

  test("that fails is not made again", async () => {
    const nobody = `http://127.0.0.1:${await freePort()}/`;
    await expect(throttledFetch({ store })(nobody)).rejects.toThrow("fetch failed");
  });
});

describe("a quota", () => {
  test("lets calls go when it is their turn, in the order in which they came", async () => {
    const fetch = throttledFetch({ store, quota: "1/s" });
    const calls = [1, 2, 3].map((n) => fetch(`${url}/${n}`));
    await asleep();
    await arrived(1);
    clock.advance(999);
    await asleep();
    expect(paths()).toEqual(["/1"]);
    clock.advance(1);
    await arrived(2);
    await asleep();
    clock.advance(1_000);
    await Promise.all(calls);
    expect(paths()).toEqual(["/1", "/2", "/3"]);
  });

  test("beyond which nothing is sent rejects at once, if a turn would not come in time", async () => {
    const fetch = throttledFetch({ store, quota: "1/m" });
    await fetch(url);
    const error = await fetch(url).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LimitedError);
    expect(error).toMatchObject({ key: url, result: { limited: true, retryAfterMs: 60_000 } });
    expect(arrivals.length).toBe(1);
  });

  test("counts for each origin, unless there is a key", async () => {
    const other = url.replace("127.0.0.1", "localhost");
    const options = { store, quota: "1/m", timeout: 0 };
    const each = throttledFetch(options);
    await each(`${url}/a`);
    await each(`${other}/a`).catch(() => {});
    await expect(each(`${url}/b`)).rejects.toMatchObject({ key: url });
    await expect(each(`${other}/b`)).rejects.toMatchObject({ key: other });

    const one = throttledFetch({ ...options, key: "all", prefix: "jobs" });
    await one(`${url}/a`);
    await expect(one(`${other}/a`)).rejects.toMatchObject({ key: "jobs:all" });

    const token = async (to: URL, _input: unknown, init?: RequestInit): Promise<string> =>
      `${to.pathname}:${new Headers(init?.headers).get("authorization")}`;
    const byToken = throttledFetch({ ...options, key: token });
    await byToken(`${url}/a`, { headers: { authorization: "ann" } });
    await byToken(`${url}/a`, { headers: { authorization: "bob" } });
    const again = byToken(`${url}/a`, { headers: { authorization: "bob" } });
    await expect(again).rejects.toMatchObject({ key: "/a:bob" });
  });

  test("is spent by the cost of a call", async () => {
    const left = async (key: string) => (await new Throttled({ store, quota: "10/m" }).peek(key)).remaining;
    await throttledFetch({ store, quota: "10/m", key: "fixed", cost: 4 })(url);
    expect(await left("fixed")).toBe(6);
    const cost = (_: URL, _input: unknown, init?: RequestInit): number => (init?.method === "POST" ? 5 : 0);
    const fetch = throttledFetch({ store, quota: "10/m", key: "by call", cost });
    await fetch(url, { method: "POST" });
    await fetch(url);
    expect(await left("by call")).toBe(5);
    await expect(throttledFetch({ store, quota: "10/m", cost: 11 })(url)).rejects.toMatchObject({
      result: { retryAfterMs: Number.POSITIVE_INFINITY },
    });
  });

  test("is spent by each attempt", async () => {
    replies = [slowDown(1), slowDown(1)];
    const call = throttledFetch({ store, quota: "10/h", key: "all" })(url);
    for (let n = 1; n <= 2; n++) {
      await arrived(n);
      await asleep();
      clock.advance(1_000);
    }
    await call;
    expect((await new Throttled({ store, quota: "10/h" }).peek("all")).remaining).toBe(7);
  });
});

describe("a far side that says when to come back", () => {
  test("is asked again then, and no millisecond earlier", async () => {
    replies = [slowDown(2)];
    const call = throttledFetch({ store })(`${url}/a`);
    await asleep();
    clock.advance(1_999);
    await asleep();
    expect(arrivals.length).toBe(1);
    clock.advance(1);
    const response = await call;
    expect([response.status, await response.text()]).toEqual([200, "fine"]);
    expect(paths()).toEqual(["/a", "/a"]);
  });

  test("keeps all waiting who call under the key, and nobody else", async () => {
    replies = [{ headers: { ratelimit: '"all";r=0;t=7' } }];
    await throttledFetch({ store, key: "all" })(`${url}/1`);
    const calls = [2, 3].map((n) => throttledFetch({ store, key: "all", quota: `${n}/m` })(`${url}/${n}`));
    await throttledFetch({ store, key: "other" })(`${url}/other`);
    await throttledFetch({ store, key: "all", prefix: "other" })(`${url}/prefix`);
    await asleep(2);
    clock.advance(6_999);
    await asleep(2);
    expect(paths()).toEqual(["/1", "/other", "/prefix"]);
    clock.advance(1);
    await Promise.all(calls);
    expect(paths().slice(3).sort()).toEqual(["/2", "/3"]);
  });

  test("is heard by those who wait for their turn, too, and they lose neither it nor their order", async () => {
    const fetch = throttledFetch({ store, quota: "1/s", key: "all" });
    await fetch(`${url}/1`);
    const calls = [2, 3].map((n) => fetch(`${url}/${n}`));
    await asleep();
    store.decide(PAUSES, "all", 5_000, Number.POSITIVE_INFINITY);
    clock.advance(1_000);
    // One of them sees that it had better not go, and makes room for the next, who sees the same.
    await asleep(2);
    expect(arrivals.length).toBe(1);
    clock.advance(4_000);
    await arrived(2);
    await asleep();
    expect(paths()).toEqual(["/1", "/2"]);
    clock.advance(1_000);
    await Promise.all(calls);
    expect(paths()).toEqual(["/1", "/2", "/3"]);
  });

  test("later than the budget of a call gets nothing from it, and answers it itself if it was asked already", async () => {
    const fetch = throttledFetch({ store, timeout: "5s", key: "all" });
    replies = [slowDown(6, "come back later")];
    const response = await fetch(`${url}/1`);
    expect([response.status, await response.text()]).toEqual([429, "come back later"]);
    const error = await fetch(`${url}/2`).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LimitedError);
    const numbers = { limit: 60, remaining: 0, resetAfterMs: 6_000, retryAfterMs: 6_000 };
    expect(error).toMatchObject({ key: "all", result: { limited: true, ...numbers } });
    expect(paths()).toEqual(["/1"]);
  });

  test("is waited for as long as the whole call may wait, not each attempt", async () => {
    replies = [slowDown(3), slowDown(3)];
    const call = throttledFetch({ store, timeout: "5s" })(url);
    await asleep();
    clock.advance(3_000);
    expect((await call).status).toBe(429);
    expect(arrivals.length).toBe(2);
  });

  test("rejects a call whose next turn does not come in time any more", async () => {
    replies = [slowDown(3)];
    const error = ending(throttledFetch({ store, quota: "1/7s", timeout: "5s" })(url));
    await asleep();
    clock.advance(3_000);
    expect(await error).toMatchObject({ name: "LimitedError", result: { retryAfterMs: 4_000 } });
    expect(arrivals.length).toBe(1);
  });

  test("is not believed to need more than a day", async () => {
    replies = [slowDown(10_000_000)];
    expect(
      (await throttledFetch({ store, key: "all", timeout: "52w" })(url, { method: "POST" })).status,
    ).toBe(429);
    expect(pausedMs("all")).toBe(86_400_000);
  });

  test("is waited for as long as another was told, if that is longer", async () => {
    hold = arrived(2);
    replies = [slowDown(9), slowDown(4)];
    const fetch = throttledFetch({ store, key: "all" });
    const calls = [fetch(url), fetch(url)];
    await asleep(2);
    clock.advance(8_999);
    await asleep(2);
    expect(arrivals.length).toBe(2);
    clock.advance(1);
    await Promise.all(calls);
  });

  test("answers a call itself if it told another to come back later than this one may wait", async () => {
    hold = arrived(2);
    replies = [slowDown(40), slowDown(1)];
    const fetch = throttledFetch({ store, key: "all" });
    const statuses = await Promise.all([fetch(url), fetch(url)].map(async (call) => (await call).status));
    expect(statuses).toEqual([429, 429]);
    expect(pausedMs("all")).toBe(40_000);
  });

  test("is waited for as long as it takes with the longest budget there is", async () => {
    replies = [slowDown(100_000)];
    const call = throttledFetch({ store, timeout: Number.MAX_SAFE_INTEGER })(url);
    await asleep();
    clock.advance(100_000_000 - 1);
    await asleep();
    clock.advance(1);
    expect((await call).status).toBe(200);
  });

  test("is looked up once for a call whose turn comes at once", async () => {
    const decide = vi.spyOn(store, "decide");
    await throttledFetch({ store })(url);
    expect(decide).toHaveBeenCalledTimes(2);
  });
});

describe("a refusal that does not say when to come back", () => {
  test("is followed by an attempt after about a second, then two, and so on up to 30 s", async () => {
    replies = Array.from({ length: 8 }, () => ({ status: 503 }));
    const call = throttledFetch({ store, timeout: "1h", retries: 8 })(url);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt++) {
      await arrived(attempt);
      await asleep();
      const before = clock.now();
      while (clock.sleepers > 0) clock.advance(1);
      waits.push(clock.now() - before);
      await vi.waitFor(() => expect(arrivals.length).toBe(attempt + 1));
    }
    expect((await call).status).toBe(200);
    for (const [attempt, ms] of waits.entries()) {
      const most = Math.min(1_000 * 2 ** attempt, 30_000);
      expect(ms).toBeGreaterThanOrEqual(most / 2);
      expect(ms).toBeLessThanOrEqual(most);
    }
  });

  test("with 429 is about all who call under the key", async () => {
    replies = [{ status: 429 }];
    expect((await throttledFetch({ store, key: "all", retries: 0 })(url)).status).toBe(429);
    expect(pausedMs("all")).toBeGreaterThanOrEqual(500);
    expect(pausedMs("all")).toBeLessThanOrEqual(1_000);
  });

  test("with 503 is about this call alone", async () => {
    replies = [{ status: 503 }];
    const call = throttledFetch({ store, key: "all" })(`${url}/1`);
    await asleep();
    expect(pausedMs("all")).toBe(0);
    await throttledFetch({ store, key: "all" })(`${url}/2`);
    clock.advance(1_000);
    await call;
    expect(paths()).toEqual(["/1", "/2", "/1"]);
  });
});

describe("retries", () => {
  const again = async (call: Promise<Response>): Promise<number> => {
    await asleep();
    clock.advance(1_000);
    return (await call).status;
  };

  test.each([
    [undefined, 3],
    [0, 1],
    [1, 2],
    [5, 6],
  ])(
    "%s of them at most make %i attempts, and the last answer is the caller's",
    async (retries, attempts) => {
      replies = Array.from({ length: 9 }, (_, i) => slowDown(1, `answer ${i + 1}`));
      const call = throttledFetch({ store, retries })(url);
      for (let n = 1; n < attempts; n++) {
        await arrived(n);
        await asleep();
        clock.advance(1_000);
      }
      expect(await (await call).text()).toBe(`answer ${attempts}`);
      expect(arrivals.length).toBe(attempts);
    },
  );

  test.each([
    ["429", slowDown(1)],
    ["503", { status: 503, headers: { "retry-after": "1" } }],
    ["another error with Retry-After", { status: 403, headers: { "retry-after": "1" } }],
  ])("follow %s", async (_, reply) => {
    replies = [reply];
    expect(await again(throttledFetch({ store })(url))).toBe(200);
  });

  test.each([
    ["an error", { status: 500 }],
    ["an error with the last unit of a quota", { status: 404, headers: { ratelimit: '"a";r=0;t=1' } }],
    ["success", { status: 202, headers: { "retry-after": "1" } }],
  ])("do not follow %s", async (_, reply: Reply) => {
    replies = [reply];
    expect((await throttledFetch({ store })(url)).status).toBe(reply.status);
    expect(arrivals.length).toBe(1);
  });

  const form = new FormData();
  form.set("a", "b");

  test.each<[string, RequestInit, string]>([
    ["HEAD", { method: "head" }, ""],
    ["OPTIONS", { method: "OPTIONS" }, ""],
    ["DELETE", { method: "DELETE" }, ""],
    ["PUT of nothing", { method: "PUT", body: null }, ""],
    ["PUT of a text", { method: "PUT", body: "text" }, "text"],
    ["PUT of bytes", { method: "PUT", body: new TextEncoder().encode("bytes") }, "bytes"],
    [
      "PUT of a buffer",
      { method: "PUT", body: new TextEncoder().encode("buffer").buffer as ArrayBuffer },
      "buffer",
    ],
    ["PUT of a blob", { method: "PUT", body: new Blob(["blob"]) }, "blob"],
    ["PUT of parameters", { method: "PUT", body: new URLSearchParams({ a: "b" }) }, "a=b"],
    ["PUT of a form", { method: "PUT", body: form }, 'name="a"'],
    ["POST with a key", { method: "POST", headers: { "Idempotency-Key": "1" }, body: "x" }, "x"],
    ["POST with a key in pairs", { method: "POST", headers: [["idempotency-key", "1"]], body: "x" }, "x"],
    [
      "PATCH with a key",
      { method: "PATCH", headers: new Headers({ "idempotency-key": "1" }), body: "x" },
      "x",
    ],
  ])("send %s again as it was", async (_, init, body) => {
    replies = [slowDown(1)];
    expect(await again(throttledFetch({ store })(url, init))).toBe(200);
    expect(arrivals.length).toBe(2);
    for (const arrival of arrivals) expect(arrival.body).toContain(body);
  });

  test.each<[string, () => Parameters<typeof fetch>]>([
    ["GET", () => [new Request(url)]],
    ["POST with a key", () => [new Request(url, { method: "POST", headers: { "idempotency-key": "1" } })]],
    [
      "POST with a body beside it",
      () => [new Request(url, { method: "POST", headers: { "idempotency-key": "1" } }), { body: "x" }],
    ],
  ])("send a Request again, %s", async (_, args) => {
    replies = [slowDown(1)];
    expect(await again(throttledFetch({ store })(...args()))).toBe(200);
    expect(arrivals[1]).toMatchObject({ method: arrivals[0]!.method, body: arrivals[0]!.body });
  });

  const stream = () => new Blob(["stream"]).stream();
  async function* parts() {
    yield new TextEncoder().encode("part");
  }

  test.each<[string, () => Parameters<typeof fetch>]>([
    ["POST", () => [url, { method: "POST", body: "x" }]],
    ["PATCH", () => [url, { method: "PATCH", body: "x" }]],
    ["a stream", () => [url, { method: "PUT", body: stream(), duplex: "half" } as RequestInit]],
    ["what is made part by part", () => [url, { method: "PUT", body: parts(), duplex: "half" } as never]],
    ["a Request with a body", () => [new Request(url, { method: "PUT", body: "x" })]],
    [
      "headers that can be read only once",
      () => [url, { headers: new Map([["a", "b"]]).entries() as never }],
    ],
  ])("do not send %s again", async (_, args) => {
    replies = [slowDown(1, "no")];
    const response = await throttledFetch({ store, key: "all" })(...args());
    expect([response.status, await response.text()]).toEqual([429, "no"]);
    expect(arrivals.length).toBe(1);
    expect(pausedMs("all")).toBe(1_000);
  });

  test("let go of what they do not read, so that its connection is free", async () => {
    replies = [slowDown(1, "x".repeat(1_000_000)), slowDown(1, "x".repeat(1_000_000))];
    const dispatcher = new undici.Agent({ connections: 1, pipelining: 1 });
    const call = throttledFetch({ store, fetch: undici.fetch })(url, { dispatcher });
    for (let n = 1; n <= 2; n++) {
      await arrived(n);
      await asleep();
      clock.advance(1_000);
    }
    expect(await (await call).text()).toBe("fine");
    await dispatcher.close();
  });

  test.each([
    ["no body", null],
    ["a body without `cancel`", {}],
    ["a body that can't be cancelled", { cancel: () => Promise.reject(new Error("locked")) }],
  ])("do with answers that have %s", async (_, body) => {
    const answers = [
      { status: 429, headers: new Headers({ "retry-after": "1" }), body },
      new Response("fine"),
    ];
    const call = throttledFetch({ store, fetch: async (_: string) => answers.shift()! })(
      "http://far.example",
    );
    await asleep();
    clock.advance(1_000);
    expect((await call).status).toBe(200);
  });
});

describe("a signal", () => {
  const reason = new Error("changed my mind");

  test("that was aborted before sends nothing, and asks for no key", async () => {
    const key = vi.fn(() => "all");
    const fetch = throttledFetch({ store, key });
    const signal = AbortSignal.abort(reason);
    await expect(fetch(url, { signal })).rejects.toBe(reason);
    await expect(fetch(new Request(url, { signal }))).rejects.toBe(reason);
    expect(key).not.toHaveBeenCalled();
    expect(arrivals).toEqual([]);
  });

  test("in the second argument comes before that of a Request, also if it is null", async () => {
    const request = () => new Request(url, { signal: AbortSignal.abort(reason) });
    const fetch = throttledFetch({ store });
    expect((await fetch(request(), { signal: new AbortController().signal })).status).toBe(200);
    expect((await fetch(request(), { signal: null })).status).toBe(200);
    await expect(fetch(request(), { method: "GET" })).rejects.toBe(reason);
  });

  test("that is none is a TypeError", async () => {
    await expect(throttledFetch({ store })(url, { signal: "stop" as never })).rejects.toThrow(
      new TypeError('Expected `signal` to be an AbortSignal, got "stop"'),
    );
  });

  test("ends a wait for a turn, and gives it back", async () => {
    const fetch = throttledFetch({ store, quota: "1/s", key: "all" });
    await fetch(url);
    const controller = new AbortController();
    const end = ending(fetch(url, { signal: controller.signal }));
    await asleep();
    controller.abort(reason);
    expect(await end).toBe(reason);
    await asleep(0);
    expect((await new Throttled({ store, quota: "1/s" }).peek("all")).retryAfterMs).toBe(1_000);
  });

  test("ends a wait for the end of a pause", async () => {
    store.decide(PAUSES, url, 1_000, Number.POSITIVE_INFINITY);
    const controller = new AbortController();
    const end = ending(throttledFetch({ store })(new Request(url, { signal: controller.signal })));
    await asleep();
    controller.abort(reason);
    expect(await end).toMatchObject({ message: "changed my mind" });
    expect([clock.sleepers, arrivals.length]).toEqual([0, 0]);
  });

  test("ends a wait between attempts", async () => {
    replies = [slowDown(1)];
    const controller = new AbortController();
    const end = ending(throttledFetch({ store })(url, { signal: controller.signal }));
    await asleep();
    controller.abort(reason);
    expect(await end).toBe(reason);
    expect([clock.sleepers, arrivals.length]).toEqual([0, 1]);
  });

  test("ends the request that is under way", async () => {
    let release = () => {};
    hold = new Promise<void>((resolve) => {
      release = resolve;
    });
    const controller = new AbortController();
    const end = ending(throttledFetch({ store })(url, { signal: controller.signal }));
    await arrived(1);
    controller.abort(reason);
    expect(await end).toBe(reason);
    release();
  });

  test("ends a wait for `key`, for `cost`, and for the store", async () => {
    const never = () => new Promise<never>(() => {});
    const deaf: Store = { name: "deaf", sync: false, decide: never, reset: never };
    for (const options of [{ store, key: never }, { store, cost: never }, { store: deaf }]) {
      const controller = new AbortController();
      const end = ending(throttledFetch(options)(url, { signal: controller.signal }));
      setImmediate(() => controller.abort(reason));
      expect(await end).toBe(reason);
    }
    expect(arrivals).toEqual([]);
  });

  test("ends a call that tells the store what it heard", async () => {
    const controller = new AbortController();
    const slow: Store = {
      name: "slow",
      sync: false,
      decide: (limiter, key, cost, maxWaitMs) => {
        if (maxWaitMs !== Number.POSITIVE_INFINITY) return store.decide(limiter, key, cost, maxWaitMs);
        setImmediate(() => controller.abort(reason));
        return new Promise(() => {});
      },
      reset: () => {},
    };
    replies = [slowDown(1)];
    await expect(throttledFetch({ store: slow })(url, { signal: controller.signal })).rejects.toBe(reason);
  });

  test("that is aborted by the time the answer is there leaves no wait behind", {
    timeout: 15_000,
  }, async () => {
    const controller = new AbortController();
    const fetch = async (..._: Parameters<typeof globalThis.fetch>) => {
      controller.abort(reason);
      return new Response("", { status: 503, headers: { "retry-after": "25" } });
    };
    const call = throttledFetch({ store: new MemoryStore(), fetch })(url, { signal: controller.signal });
    await expect(call).rejects.toBe(reason);
  });
});

describe("calls of several processes", () => {
  test("share on Redis what one of them was told", async () => {
    const prefix = randomUUID();
    const [one, other] = [1, 2].map(
      () => new RedisStore(inject("redisUrl"), { prefix, deadline: "20s" }),
    ) as [RedisStore, RedisStore];
    replies = [slowDown(60)];
    const key = "all";
    expect((await throttledFetch({ store: one, key })(`${url}/1`)).status).toBe(429);
    const error = await throttledFetch({ store: other, key, quota: "5/s" })(`${url}/2`).catch(
      (reason) => reason,
    );
    expect(error).toMatchObject({ name: "LimitedError", key });
    expect(error.result.retryAfterMs).toBeGreaterThan(30_000);
    expect(error.result.retryAfterMs).toBeLessThanOrEqual(60_000);
    await one.reset(PAUSES, key);
    replies = [{ headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "0.3" } }];
    await throttledFetch({ store: one, key })(`${url}/3`);
    const before = performance.now();
    await throttledFetch({ store: other, key })(`${url}/4`);
    expect(performance.now() - before).toBeGreaterThan(250);
    expect(paths()).toEqual(["/1", "/3", "/4"]);
    await Promise.all([one.close(), other.close()]);
  });

  test("wait on Redis for the turn of each, and look again whether somebody was told to wait", async () => {
    const redis = new RedisStore(inject("redisUrl"), { prefix: randomUUID(), deadline: "20s" });
    const fetch = throttledFetch({ store: redis, quota: "1/200ms", key: "all" });
    await fetch(`${url}/1`);
    const before = performance.now();
    const calls = [2, 3].map((n) => fetch(`${url}/${n}`));
    await redis.decide(PAUSES, "all", 500, Number.POSITIVE_INFINITY);
    await Promise.all(calls);
    expect(performance.now() - before).toBeGreaterThan(650);
    await redis.close();
  });
});

describe("a store that is unavailable", () => {
  const away = async (options: object): Promise<RedisStore> =>
    new RedisStore(`redis://127.0.0.1:${await freePort()}`, { deadline: "50ms", ...options });

  test("is a StoreError, and nothing is sent", async () => {
    await using redis = await away({});
    await expect(throttledFetch({ store: redis })(url)).rejects.toMatchObject({ name: "StoreError" });
    expect(arrivals).toEqual([]);
  });

  test.each([
    ["allow", 200],
    ["deny", "LimitedError"],
  ])("does what its policy says: %s", async (onUnavailable, outcome) => {
    await using redis = await away({ onUnavailable });
    const call = throttledFetch({ store: redis })(url);
    expect(
      await call.then(
        ({ status }) => status,
        ({ name }) => name,
      ),
    ).toBe(outcome);
  });

  test("falls back on another, which knows of pauses as well", async () => {
    await using redis = await away({ onUnavailable: store });
    replies = [slowDown(40)];
    const fetch = throttledFetch({ store: redis, key: "all" });
    expect((await fetch(url)).status).toBe(429);
    expect(pausedMs("all")).toBe(40_000);
    await expect(fetch(url)).rejects.toMatchObject({ result: { retryAfterMs: 40_000 } });
  });

  test("once the answer is there takes nothing from it, and this call waits all the same", async () => {
    const failing: Store = {
      name: "failing",
      sync: false,
      clock,
      decide: (limiter, key, cost, maxWaitMs) => {
        if (maxWaitMs === Number.POSITIVE_INFINITY) throw new Error("gone");
        return store.decide(limiter, key, cost, maxWaitMs);
      },
      reset: () => {},
    };
    replies = [slowDown(2)];
    const call = throttledFetch({ store: failing })(url);
    await asleep();
    clock.advance(1_999);
    await asleep();
    clock.advance(1);
    expect((await call).status).toBe(200);
  });
});

describe("options", () => {
  test.each<[object, string]>([
    [{ retry: 1 }, 'Unknown option "retry" in `options`'],
    [{ prefix: 7 }, "Expected `prefix` to be a string, got 7"],
    [{ key: "" }, 'Expected `key` to be a string of 1 to 512 UTF-8 bytes, got ""'],
    [{ cost: -1 }, "Expected `cost` to be a non-negative integer, got -1"],
    [{ retries: 1.5 }, "Expected `retries` to be a non-negative integer, got 1.5"],
    [{ fetch: "undici" }, 'Expected `fetch` to be a function, got "undici"'],
    [{ timeout: "soon" }, "Expected `timeout` to be a duration"],
    [{ quota: "10/fortnight" }, "Expected `quota` to be like"],
    [{ store: {} }, "Expected `store` to be a store, got an object"],
    [{ using: "leaky" }, "Expected `using` to be one of"],
  ])("%j are refused at once", (options, message) => {
    expect(() => throttledFetch(options as never)).toThrow(message);
  });

  test("that answer nonsense reject, and nothing is sent", async () => {
    await expect(throttledFetch({ store, key: () => 7 as never })(url)).rejects.toThrow(
      new TypeError("Expected `key` to be a string of 1 to 512 UTF-8 bytes, got 7"),
    );
    await expect(throttledFetch({ store, cost: async () => -1 })(url)).rejects.toThrow(
      new RangeError("Expected `cost` to be a non-negative integer, got -1"),
    );
    const boom = new Error("boom");
    const key = () => Promise.reject(boom);
    await expect(throttledFetch({ store, key })(url, { signal: new AbortController().signal })).rejects.toBe(
      boom,
    );
    expect(arrivals).toEqual([]);
  });
});
