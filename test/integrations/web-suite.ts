import { EventEmitter, once } from "node:events";
import { Agent, request as nodeRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MemoryStore, Throttled } from "../../src/index.js";
import type { Refusal, ThrottleOptions } from "../../src/integrations/gate.js";
import { RedisStore } from "../../src/redis.js";
import { ManualClock } from "../../src/testing.js";

/** What the application behind the limiters answers. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A server that runs. */
export interface Running {
  /** Where it listens, if it does. */
  readonly url?: string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** An adapter under test, where `R` is a request of its framework. */
export interface WebAdapter<R> {
  /** A server of the framework that asks these limiters in turn, and then answers with what `answer` says of the path, or throws. */
  start(limiters: readonly ThrottleOptions<R>[], answer: (path: string) => Answer): Promise<Running>;
  /** A header of a request. */
  header(request: R, name: string): string | undefined;
  /** What the framework makes of a refusal, if it does not send it as it is. */
  sent?(refusal: Refusal): Refusal;
}

/** Lets a server of Node listen on a free port. */
export async function listen(server: Server): Promise<Running> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return running(server);
}

/** A server of Node that listens already. */
export function running(server: Server): Running {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    fetch: (path, init) => fetch(url + path, init),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const PROBLEM = "https://iana.org/assignments/http-problem-types";
/** Headers that are told by limiters. */
const TOLD = /^(x-)?ratelimit|^retry-after$/;

/** What every adapter must do, over a real server of its framework. */
export function webSuite<R extends object>({
  start,
  header,
  sent = (refusal) => refusal,
}: WebAdapter<R>): void {
  let clock: ManualClock;
  let store: MemoryStore;
  let server: Running;
  let handled: string[];
  let closing: (() => Promise<void>)[];

  beforeEach(() => {
    clock = new ManualClock();
    store = new MemoryStore({ clock });
    handled = [];
    closing = [];
  });
  afterEach(async () => {
    vi.useRealTimers();
    for (const close of closing.reverse()) await close();
  });

  async function serve(...limiters: readonly ThrottleOptions<R>[]): Promise<void> {
    server = await start(
      limiters.map((options) => ({ store, ...options })),
      (path) => {
        handled.push(path);
        if (path === "/throw") throw new Error("The application is broken");
        const status = Number(/^\/status\/(\d+)$/.exec(path)?.[1] ?? 200);
        return { status, body: `hello from ${path}` };
      },
    );
    closing.push(() => server.close());
  }

  /** A refusal as clients see it. */
  function refused(status: number, type: string, text: string) {
    const { contentType, body } = sent({ status, contentType: type, body: text });
    return { status, type: contentType, body };
  }

  /** The status of an answer, the headers that limiters told, and its body. */
  async function get(path = "/", headers: Record<string, string> = {}) {
    const response = await server.fetch(path, { headers });
    const told = Object.fromEntries([...response.headers].filter(([name]) => TOLD.test(name)));
    const type = response.headers.get("content-type");
    return { status: response.status, told, type, body: await response.text() };
  }

  const statuses = async (count: number, path = "/", headers = {}): Promise<number[]> => {
    const all: number[] = [];
    for (let i = 0; i < count; i++) all.push((await get(path, headers)).status);
    return all;
  };

  test("a request within the quota passes, and its answer says what is left", async () => {
    await serve({ quota: "2/m" });
    expect(await get("/page")).toMatchObject({
      status: 200,
      told: { "ratelimit-policy": '"2-in-60s";q=2;w=60', ratelimit: '"2-in-60s";r=1;t=30' },
      body: "hello from /page",
    });
    expect(handled).toEqual(["/page"]);
  });

  test("a request beyond the quota gets 429 with a problem, and the application does not hear of it", async () => {
    await serve({ quota: "2/m" });
    await statuses(2);
    expect(await get()).toEqual({
      told: {
        "ratelimit-policy": '"2-in-60s";q=2;w=60',
        ratelimit: '"2-in-60s";r=0;t=30',
        "retry-after": "30",
      },
      ...refused(
        429,
        "application/problem+json",
        `{"type":"${PROBLEM}#quota-exceeded","title":"Quota exceeded","status":429,"detail":"Try again in 30 s.","violated-policies":["2-in-60s"]}`,
      ),
    });
    expect(handled).toEqual(["/", "/"]);
    clock.advance(30_000);
    expect(await statuses(2)).toEqual([200, 429]);
  });

  test("a refusal of HEAD has no body", async () => {
    await serve({ quota: "1/h" });
    await get();
    const response = await server.fetch("/", { method: "HEAD" });
    expect([response.status, response.headers.get("retry-after"), await response.text()]).toEqual([
      429,
      "3600",
      "",
    ]);
  });

  test("answers that the application makes of an error, or finds nothing for, count and tell as others", async () => {
    await serve({ quota: "3/m" });
    expect((await get("/throw")).status).toBe(500);
    expect(await get("/status/404")).toMatchObject({
      status: 404,
      told: { ratelimit: '"3-in-60s";r=1;t=40' },
    });
  });

  test("several quotas are several policies, and the one that refused is named", async () => {
    await serve({ quota: "1/s; 5/m" });
    await get();
    const { told, body } = await get();
    expect(told["ratelimit-policy"]).toBe('"1-in-1s";q=1;w=1, "5-in-60s";q=5;w=60');
    expect(told["ratelimit"]).toBe('"1-in-1s";r=0;t=1');
    expect(JSON.parse(body)["violated-policies"]).toEqual(["1-in-1s"]);
  });

  test("a cost that can never pass is refused without Retry-After", async () => {
    await serve({ quota: "2/m", cost: 3 });
    const { status, told, body } = await get();
    expect([status, told["retry-after"], JSON.parse(body).detail]).toEqual([
      429,
      undefined,
      "This request never passes.",
    ]);
  });

  describe("statusCode and message", () => {
    test.each<[string, ThrottleOptions<R>["message"], string, string]>([
      ["text", "Slow down é", "text/plain; charset=utf-8", "Slow down é"],
      ["an object", { error: "slow é" }, "application/json; charset=utf-8", '{"error":"slow é"}'],
      [
        "a function",
        (request: R, { retryAfterMs }) => ({ wait: retryAfterMs, name: header(request, "x-name") }),
        "application/json; charset=utf-8",
        '{"wait":3600000,"name":"ann"}',
      ],
      ["an asynchronous function", async () => "Later", "text/plain; charset=utf-8", "Later"],
    ])("make the refusal, by %s", async (_, message, type, body) => {
      await serve({ quota: "1/h", statusCode: 503, message });
      await get();
      expect(await get("/", { "x-name": "ann" })).toMatchObject({
        ...refused(503, type, body),
        told: { "retry-after": "3600" },
      });
    });

    test("fail as the application does, if the message can't be made", async () => {
      const message = () => {
        throw new Error("No words");
      };
      await serve({ quota: "1/h", message });
      expect(await statuses(3)).toEqual([200, 500, 500]);
      expect(handled).toHaveLength(1);
    });
  });

  describe("headers", () => {
    test("may be none, but for Retry-After", async () => {
      await serve({ quota: "1/m", headers: false });
      expect((await get()).told).toEqual({});
      expect((await get()).told).toEqual({ "retry-after": "60" });
    });

    test("may be those of draft-7", async () => {
      await serve({ quota: "1/m", headers: "draft-7" });
      const told = { "ratelimit-policy": "1;w=60", ratelimit: "limit=1, remaining=0, reset=60" };
      expect((await get()).told).toEqual(told);
      expect((await get()).told).toEqual({ ...told, "retry-after": "60" });
    });

    test("may be the old ones", async () => {
      vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 });
      await serve({ quota: "1/m", headers: "legacy" });
      const told = {
        "x-ratelimit-limit": "1",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1800000060",
      };
      expect((await get()).told).toEqual(told);
      expect((await get()).told).toEqual({ ...told, "retry-after": "60" });
    });
  });

  describe("cost", () => {
    test("is what each request spends", async () => {
      await serve({ quota: "5/h", cost: 2 });
      expect(await statuses(3)).toEqual([200, 200, 429]);
    });

    test("is that of the request, also if it has to be found out first", async () => {
      const cost = async (request: R) => Number(header(request, "x-cost"));
      await serve({ quota: "5/h", cost });
      expect((await get("/", { "x-cost": "4" })).told["ratelimit"]).toBe('"5-in-3600s";r=1;t=2880');
      expect((await get("/", { "x-cost": "2" })).status).toBe(429);
      expect((await get("/", { "x-cost": "1" })).status).toBe(200);
      expect((await get("/", { "x-cost": "0" })).status).toBe(200);
    });

    test("that is no cost is an error of the application, and charges nothing", async () => {
      await serve({ quota: "1/h", cost: (request: R) => Number(header(request, "x-cost")) });
      expect(await statuses(1, "/", { "x-cost": "-1" })).toEqual([500]);
      expect(await statuses(2, "/", { "x-cost": "1" })).toEqual([200, 429]);
    });
  });

  test("quotas by request make tiers: each its own limit, and none is none", async () => {
    const quota = (request: R) =>
      ({ free: "1/h", pro: "3/h", internal: undefined })[header(request, "x-tier") ?? "free"];
    await serve({ quota });
    expect(await statuses(2)).toEqual([200, 429]);
    expect(await statuses(4, "/", { "x-tier": "pro" })).toEqual([200, 200, 200, 429]);
    expect(await statuses(4, "/", { "x-tier": "internal" })).toEqual([200, 200, 200, 200]);
    expect((await get("/", { "x-tier": "internal" })).told).toEqual({});
  });

  test("a request that is skipped is not charged, and told nothing", async () => {
    const skip = async (request: R) => header(request, "x-health") !== undefined;
    await serve({ quota: "1/h", skip });
    for (let i = 0; i < 3; i++) {
      expect(await get("/", { "x-health": "check" })).toMatchObject({ status: 200, told: {} });
    }
    expect(await statuses(2)).toEqual([200, 429]);
  });

  describe("key", () => {
    const user = (request: R): string => header(request, "x-user")!;

    test.each([
      ["at once", user],
      ["later", async (request: R) => user(request)],
    ])("says who spends, %s", async (_, key) => {
      await serve({ quota: "1/h", key });
      expect(await statuses(2, "/", { "x-user": "ann" })).toEqual([200, 429]);
      expect(await statuses(2, "/", { "x-user": "bob" })).toEqual([200, 429]);
    });

    test.each([
      [
        "throws",
        (request: R) => {
          if (user(request) === "mallory") throw new Error("Who is that?");
          return "somebody";
        },
      ],
      [
        "rejects",
        async (request: R) => {
          if (user(request) === "mallory") throw new Error("Who is that?");
          return "somebody";
        },
      ],
      ["answers nothing", (request: R) => (user(request) === "mallory" ? (undefined as never) : "somebody")],
    ])("that %s is an error of the application, and charges nothing", async (_, key) => {
      await serve({ quota: "1/h", key });
      expect(await statuses(3, "/", { "x-user": "mallory" })).toEqual([500, 500, 500]);
      expect(handled).toEqual([]);
      expect(await statuses(2, "/", { "x-user": "ann" })).toEqual([200, 429]);
    });
  });

  test("onLimited hears of each refusal, and what it throws changes nothing", async () => {
    const heard: unknown[] = [];
    const onLimited: ThrottleOptions<R>["onLimited"] = (request, { retryAfterMs }) => {
      heard.push([header(request, "x-user"), retryAfterMs]);
      throw new Error("Nobody cares");
    };
    await serve({ quota: "1/h", onLimited });
    expect(await statuses(3, "/", { "x-user": "ann" })).toEqual([200, 429, 429]);
    expect(heard).toEqual([
      ["ann", 3_600_000],
      ["ann", 3_600_000],
    ]);
  });

  describe("refundOn", () => {
    const options = { quota: "2/h", key: () => "k", refundOn: (status: number) => status >= 500 };
    const remaining = async (): Promise<number> =>
      (await new Throttled({ quota: "2/h", store }).peek("k")).remaining;

    test.each([
      ["is answered so", "/status/503"],
      ["fails", "/throw"],
    ])("gives back the cost of a request that %s", async (_, path) => {
      await serve({ ...options, cost: 2 });
      for (let i = 0; i < 3; i++) {
        expect((await get(path)).told["retry-after"]).toBeUndefined();
        await vi.waitFor(async () => expect(await remaining()).toBe(2));
      }
      expect(handled).toEqual([path, path, path]);
    });

    test("keeps the cost of others, and gives nothing back for a refusal", async () => {
      await serve({ ...options, refundOn: (status) => status === 429 || status >= 500 });
      expect(await statuses(4, "/status/404")).toEqual([404, 404, 429, 429]);
      expect(await remaining()).toBe(0);
    });

    test("that throws keeps the cost, and breaks nothing", async () => {
      const refundOn = () => {
        throw new Error("Undecided");
      };
      await serve({ ...options, refundOn });
      expect(await statuses(3)).toEqual([200, 200, 429]);
    });
  });

  describe("several limiters", () => {
    test("tell of all in one set of headers", async () => {
      await serve({ quota: "9/h" }, { quota: "2/m" });
      expect((await get()).told).toEqual({
        "ratelimit-policy": '"9-in-3600s";q=9;w=3600, "2-in-60s";q=2;w=60',
        ratelimit: '"9-in-3600s";r=8;t=400, "2-in-60s";r=1;t=30',
      });
    });

    test.each(["draft-7", "legacy"] as const)("tell of the one with least left, as %s", async (headers) => {
      const [daily, minutely] = [
        { quota: "9/d", headers },
        { quota: "2/m", headers },
      ];
      for (const limiters of [
        [daily, minutely],
        [minutely, daily],
      ]) {
        store = new MemoryStore({ clock });
        await serve(...limiters);
        const { told } = await get();
        expect(told["ratelimit"] ?? told["x-ratelimit-remaining"]).toMatch(
          headers === "legacy" ? /^1$/ : /^limit=2, remaining=1, reset=30$/,
        );
      }
    });

    test("refuse by the first that does, and those after it are not asked", async () => {
      await serve({ quota: "9/h" }, { quota: "1/m" }, { quota: "5/d" });
      await get();
      const { status, told, body } = await get();
      expect(status).toBe(429);
      expect(told).toEqual({
        "ratelimit-policy": '"9-in-3600s";q=9;w=3600, "1-in-60s";q=1;w=60',
        ratelimit: '"9-in-3600s";r=7;t=800, "1-in-60s";r=0;t=60',
        "retry-after": "60",
      });
      expect(JSON.parse(body)["violated-policies"]).toEqual(["1-in-60s"]);
      expect(handled).toHaveLength(1);
    });
  });

  describe("a store that is down", () => {
    const down = (onUnavailable: "throw" | "allow" | "deny" | MemoryStore): RedisStore => {
      const redis = new RedisStore("redis://127.0.0.1:1", { deadline: "100ms", onUnavailable });
      closing.push(() => redis.close());
      return redis;
    };

    test("is 503 by default, whatever a refusal would be", async () => {
      await serve({ quota: "1/h", store: down("throw"), statusCode: 400, message: "Slow down" });
      for (let i = 0; i < 2; i++) {
        expect(await get()).toEqual({
          told: { "retry-after": "1" },
          ...refused(
            503,
            "application/problem+json",
            `{"type":"${PROBLEM}#temporary-reduced-capacity","title":"Temporarily reduced capacity","status":503,"detail":"Try again in 1 s."}`,
          ),
        });
      }
      expect(handled).toEqual([]);
    });

    test("lets all pass that is not impossible, if it may, and nothing is given back", async () => {
      await serve({ quota: "1/h", store: down("allow"), refundOn: () => true });
      expect(await statuses(3)).toEqual([200, 200, 200]);
    });

    test("refuses all, if it must", async () => {
      await serve({ quota: "1/h", store: down("deny") });
      expect(await get()).toMatchObject({ status: 429, told: { "retry-after": "1" } });
      expect(handled).toEqual([]);
    });

    test("leaves it to another store, which keeps what it charged", async () => {
      await serve({ quota: "1/h", store: down(store), refundOn: () => true });
      expect(await statuses(3)).toEqual([200, 429, 429]);
    });

    test("does not keep other limiters from telling", async () => {
      await serve({ quota: "9/h" }, { quota: "1/h", store: down("throw") });
      expect(await get()).toMatchObject({
        status: 503,
        told: { ratelimit: '"9-in-3600s";r=8;t=400', "retry-after": "1" },
      });
    });
  });

  test("of many requests at once, as many pass as may, and each is handled and answered once", async () => {
    await serve({ quota: "7/h", key: async () => "k" });
    const paths = Array.from({ length: 25 }, (_, i) => `/${i}`);
    const answers = await Promise.all(paths.map((path) => get(path)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(18);
    expect(new Set(handled).size).toBe(7);
    expect(handled).toHaveLength(7);
  });

  test("a client that goes away while it is asked about, or later, harms nobody", async () => {
    const asked = new EventEmitter();
    const key = async (request: R): Promise<string> => {
      if (header(request, "x-slow") === undefined) return "k";
      asked.emit("slow");
      await once(asked, "go");
      return "k";
    };
    await serve({ quota: "2/h", key, refundOn: () => true });
    if (server.url === undefined) return;
    const slow = once(asked, "slow");
    const controller = new AbortController();
    const aborted = server.fetch("/", { headers: { "x-slow": "yes" }, signal: controller.signal });
    await slow;
    controller.abort();
    await expect(aborted).rejects.toThrow();
    // A round trip later the server knows.
    await get();
    asked.emit("go");
    expect((await get()).status).toBe(200);
    expect(handled.length).toBeLessThanOrEqual(3);
  });

  test("a connection outlives refusals, also of requests with a body that nobody reads", async () => {
    await serve({ quota: "1/h" });
    if (server.url === undefined) return;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<unknown>();
    const all: unknown[] = [];
    for (const body of ["", "a".repeat(1_000), "b".repeat(100_000), ""]) {
      const method = body === "" ? "GET" : "POST";
      const request = nodeRequest(server.url, { agent, method }).end(body);
      const [response] = await once(request, "response");
      ports.add(request.socket?.localPort);
      all.push(response.statusCode);
      await once(response.resume(), "end");
    }
    agent.destroy();
    expect(all).toEqual([200, 429, 429, 429]);
    expect(ports.size).toBe(1);
  });

  describe("X-Forwarded-For", () => {
    const from = (forwardedFor: string) => statuses(1, "/", { "x-forwarded-for": forwardedFor });

    test("changes nothing by default", async () => {
      await serve({ quota: "1/h" });
      expect(await from("192.0.2.1")).toEqual([200]);
      expect(await from("192.0.2.2")).toEqual([429]);
    });

    test.each([[1], [["127.0.0.0/8"]]])(
      "tells clients apart behind a proxy that is trusted: %j",
      async (trustProxy) => {
        await serve({ quota: "1/h", trustProxy });
        if (server.url === undefined) return;
        expect([await from("192.0.2.1"), await from("192.0.2.2")]).toEqual([[200], [200]]);
        expect([await from("spoofed, 192.0.2.1"), await from("::ffff:192.0.2.2")]).toEqual([[429], [429]]);
      },
    );
  });
}
