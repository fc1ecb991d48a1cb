import type { Express, Request, Response } from "express";
import { ipKeyGenerator, MemoryStore as TheirMemoryStore } from "express-rate-limit";
import { expect, vi } from "vitest";
import { MemoryStore } from "../../src/index.js";
import type { ThrottleOptions } from "../../src/integrations/express.js";
import { ipKey } from "../../src/integrations/http.js";
import { RedisStore } from "../../src/redis.js";
import {
  type Answered,
  type Served,
  type Setup,
  START,
  type TheirOptions,
} from "./express-rate-limit-sides.js";

/** Something that express-rate-limit documents, done with both. */
export interface Behaviour {
  /** What express-rate-limit does, in a sentence; the page on HTTP has it in its table. */
  readonly does: string;
  readonly theirs: Setup<TheirOptions>;
  /** The same for this library, or what comes closest. */
  readonly ours: Setup<ThrottleOptions>;
  readonly app?: (app: Express) => void;
  /** What shows of it; where a limiter can't be made, it is the error instead. */
  readonly observe: (server: Served) => unknown;
  /** What is observed of both, under every algorithm; or of each, where they differ. */
  readonly observed: { readonly both: unknown } | { readonly theirs: unknown; readonly ours: unknown };
}

const HOUR = 3_600_000;
const two = { windowMs: HOUR, limit: 2 };
const one = { windowMs: HOUR, limit: 1 };
const user = (request: Request): string => request.get("x-user")!;
const later = async (request: Request): Promise<string> => user(request);
const fails = (): never => {
  throw new Error("Who is that?");
};
const refused = async (server: Served): Promise<Answered> => {
  let answer = await server.get();
  for (let i = 0; i < 5 && answer.status === 200; i++) answer = await server.get();
  return answer;
};
const statuses = (count: number) => (server: Served) => server.statuses(count);
const of = async (answer: Promise<Answered>, ...names: string[]): Promise<unknown[]> => {
  const { headers } = await answer;
  return names.map((name) => headers[name]);
};
const eachOf = async (server: Served, name: string, values: readonly string[]): Promise<number[]> => {
  const all: number[] = [];
  for (const value of values) all.push(...(await server.statuses(1, "/", { [name]: value })));
  return all;
};
const from = (server: Served, ...addresses: string[]) => eachOf(server, "x-forwarded-for", addresses);
const behindProxy = (app: Express): void => void app.set("trust proxy", 1);
const spends = (server: Served, units: number) =>
  vi.waitFor(async () => expect(await server.spent("k")).toBe(units), { timeout: 5_000, interval: 2 });
/** The same request again and again, each once the one before is settled. */
const settling = async (server: Served, path: string, units: readonly number[]): Promise<number[]> => {
  const all: number[] = [];
  for (const spent of units) {
    all.push((await server.get(path)).status);
    await spends(server, spent);
  }
  return all;
};
const k = { keyGenerator: () => "k" };
const key = () => "k";
const brokenStore = (): TheirOptions["store"] => ({
  increment: async () => fails(),
  decrement: async () => fails(),
  resetKey: async () => fails(),
});
const down = (onUnavailable: "throw" | "allow"): RedisStore =>
  new RedisStore("redis://127.0.0.1:1", { deadline: "100ms", onUnavailable });

/** Stores whose server can't be reached, for whoever runs this to close. */
export const STORES_THAT_ARE_DOWN = { allow: down("allow"), throw: down("throw") };

const QUOTA: readonly Behaviour[] = [
  {
    does: "as many requests pass as `limit` says, the next gets 429, and the application does not hear of it",
    ...{ theirs: two, ours: { quota: "2/h" } },
    observe: async (server) => [await server.statuses(3), server.handled.length],
    observed: { both: [[200, 200, 429], 2] },
  },
  {
    does: "of requests that come at once as many pass",
    ...{ theirs: { windowMs: HOUR, limit: 7 }, ours: { quota: "7/h" } },
    observe: async (server) => {
      const all = await Promise.all(Array.from({ length: 20 }, () => server.get()));
      return [all.filter(({ status }) => status === 200).length, server.handled.length];
    },
    observed: { both: [7, 7] },
  },
  {
    does: "once the window is over, as many pass again",
    ...{ theirs: two, ours: { quota: "2/h" } },
    observe: async (server) => {
      await server.statuses(3);
      // A sliding window looks back at the one before.
      server.later(2 * HOUR);
      return server.statuses(3);
    },
    observed: { both: [200, 200, 429] },
  },
  {
    does: "a window begins with the first request of a client, and until it ends nothing comes back",
    ...{ theirs: two, ours: { quota: "2/h", using: "token-bucket" } },
    observe: async (server) => {
      await server.statuses(2);
      server.later(HOUR / 2);
      return server.statuses(2);
    },
    observed: { theirs: [429, 429], ours: [200, 429] },
  },
  {
    does: "two bursts may follow each other, at the end of a window and at the beginning of the next",
    ...{ theirs: two, ours: { quota: "2/h", using: "sliding-window" } },
    observe: async (server) => {
      await server.get();
      server.later(HOUR - 1);
      const before = await server.statuses(1);
      server.later(1);
      return [...before, ...(await server.statuses(2))];
    },
    observed: { theirs: [200, 200, 200], ours: [200, 429, 429] },
  },
  {
    does: "`limit` may be a function of the request, also an asynchronous one",
    theirs: {
      windowMs: HOUR,
      limit: async (request: Request) => (user(request) === "pro" ? 3 : 1),
      keyGenerator: user,
    },
    ours: { quota: async (request) => (user(request) === "pro" ? "3/h" : "1/h"), key: user },
    observe: async (server) => [
      await server.statuses(2, "/", { "x-user": "free" }),
      await server.statuses(4, "/", { "x-user": "pro" }),
    ],
    observed: {
      both: [
        [200, 429],
        [200, 200, 200, 429],
      ],
    },
  },
  {
    does: "a `limit` of 0 refuses every request",
    ...{ theirs: { windowMs: HOUR, limit: 0 }, ours: { quota: { limit: 0, period: "1h" } } },
    observe: statuses(1),
    observed: { theirs: [429], ours: "RangeError: Expected `limit` to be a positive integer, got 0" },
  },
  {
    does: "without options 5 requests of a minute pass",
    ...{ theirs: {}, ours: {} },
    observe: statuses(6),
    observed: { theirs: [200, 200, 200, 200, 200, 429], ours: [200, 200, 200, 200, 200, 200] },
  },
  {
    does: "requests that are refused are counted as well",
    ...{ theirs: { ...one, ...k }, ours: { quota: "1/h", key } },
    observe: async (server) => {
      await server.statuses(3);
      return server.spent("k");
    },
    observed: { theirs: 3, ours: 1 },
  },
];

const REFUSALS: readonly Behaviour[] = [
  {
    does: "`message` is the body of a refusal",
    ...{ theirs: { ...one, message: "Slow down é" }, ours: { quota: "1/h", message: "Slow down é" } },
    observe: async (server) => (await refused(server)).body,
    observed: { both: "Slow down é" },
  },
  {
    does: "a `message` of text is sent as `text/html`",
    ...{ theirs: { ...one, message: "Slow down" }, ours: { quota: "1/h", message: "Slow down" } },
    observe: (server) => of(refused(server), "content-type"),
    observed: { theirs: ["text/html; charset=utf-8"], ours: ["text/plain; charset=utf-8"] },
  },
  {
    does: "a `message` that is an object is sent as JSON",
    ...{
      theirs: { ...one, message: { error: "slow é" } },
      ours: { quota: "1/h", message: { error: "slow é" } },
    },
    observe: async (server) => {
      const { body, headers } = await refused(server);
      return [body, headers["content-type"]];
    },
    observed: { both: ['{"error":"slow é"}', "application/json; charset=utf-8"] },
  },
  {
    does: "`message` may be a function of the request, also an asynchronous one",
    theirs: { ...one, message: async (request: Request) => ({ path: request.path }) },
    ours: { quota: "1/h", message: async (request) => ({ path: request.path }) },
    observe: async (server) => (await refused(server)).body,
    observed: { both: '{"path":"/"}' },
  },
  {
    does: "what `message` throws goes to the error handler of the application",
    ...{ theirs: { ...one, message: fails }, ours: { quota: "1/h", message: fails } },
    observe: async (server) => {
      await server.statuses(2);
      return [server.handled.length, server.errors];
    },
    observed: { both: [1, ["Error: Who is that?"]] },
  },
  {
    does: "without `message` a refusal is a line of text",
    ...{ theirs: one, ours: { quota: "1/h", using: "token-bucket" } },
    observe: async (server) => (await refused(server)).body,
    observed: {
      theirs: "Too many requests, please try again later.",
      ours: '{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Quota exceeded","status":429,"detail":"Try again in 3600 s.","violated-policies":["1-in-3600s"]}',
    },
  },
  {
    does: "`statusCode` is the status of a refusal",
    ...{ theirs: { ...one, statusCode: 503 }, ours: { quota: "1/h", statusCode: 503 } },
    observe: statuses(2),
    observed: { both: [200, 503] },
  },
  {
    does: "`handler` answers a request that is refused",
    theirs: {
      ...one,
      handler: (request, response) => void response.status(420).json({ calm: request.path }),
    },
    ours: { quota: "1/h", statusCode: 420, message: (request) => ({ calm: request.path }) },
    observe: async (server) => {
      const { status, body } = await refused(server);
      return [status, body];
    },
    observed: { both: [420, '{"calm":"/"}'] },
  },
  {
    does: "`handler` may let a request pass all the same",
    theirs: { ...one, handler: (_request, _response, next) => next() },
    ours: { quota: "1/h", onLimited: () => true },
    observe: statuses(2),
    observed: { theirs: [200, 200], ours: [200, 429] },
  },
];

const HEADERS: readonly Behaviour[] = [
  {
    does: "`legacyHeaders` tell the limit and what is left in `X-RateLimit-Limit` and `X-RateLimit-Remaining`",
    ...{ theirs: { ...two, legacyHeaders: true }, ours: { quota: "2/h", headers: "legacy" } },
    observe: async (server) => {
      const told = () => of(server.get(), "x-ratelimit-limit", "x-ratelimit-remaining");
      return [await told(), await told(), await told()];
    },
    observed: {
      both: [
        ["2", "1"],
        ["2", "0"],
        ["2", "0"],
      ],
    },
  },
  {
    does: "`X-RateLimit-Reset` is the end of the window",
    theirs: { ...two, legacyHeaders: true },
    ours: { quota: "2/h", headers: "legacy", using: "token-bucket" },
    observe: async (server) => Number((await of(server.get(), "x-ratelimit-reset"))[0]) - START / 1_000,
    observed: { theirs: 3_600, ours: 1_800 },
  },
  {
    does: "`legacyHeaders` are sent unless they are switched off",
    ...{ theirs: two, ours: { quota: "2/h" } },
    observe: async (server) => told(await server.get()),
    observed: {
      theirs: ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"],
      ours: ["ratelimit", "ratelimit-policy"],
    },
  },
  {
    does: 'the `standardHeaders` of `"draft-7"` tell the policy and what is left in one field each',
    theirs: { ...two, standardHeaders: "draft-7", legacyHeaders: false },
    ours: { quota: "2/h", headers: "draft-7" },
    observe: async (server) => {
      const { headers } = await server.get();
      return [
        headers["ratelimit-policy"],
        headers["ratelimit"]?.replace(/\d+$/, ""),
        told(await server.get()),
      ];
    },
    observed: { both: ["2;w=3600", "limit=2, remaining=1, reset=", ["ratelimit", "ratelimit-policy"]] },
  },
  {
    does: 'the `standardHeaders` of `"draft-8"` name the policy and tell of whom they speak',
    theirs: { ...two, ...k, standardHeaders: "draft-8", legacyHeaders: false },
    ours: { quota: "2/h", key, headers: "draft-10", using: "token-bucket" },
    observe: (server) => of(server.get(), "ratelimit-policy", "ratelimit"),
    observed: {
      theirs: ['"2-in-1hr"; q=2; w=3600; pk=:ODI1NGMzMjlhOTI4:', '"2-in-1hr"; r=1; t=3600'],
      ours: ['"2-in-3600s";q=2;w=3600', '"2-in-3600s";r=1;t=1800'],
    },
  },
  {
    does: '`standardHeaders` may be those of `"draft-6"`',
    theirs: { ...two, standardHeaders: "draft-6", legacyHeaders: false },
    ours: { quota: "2/h", headers: "draft-6" as "draft-7" },
    observe: async (server) => told(await server.get()),
    observed: {
      theirs: ["ratelimit-limit", "ratelimit-policy", "ratelimit-remaining", "ratelimit-reset"],
      ours: 'TypeError: Expected `headers` to be one of draft-10, draft-7, legacy, got "draft-6"',
    },
  },
  {
    does: "`identifier` gives the policy another name",
    theirs: { ...two, identifier: "free", standardHeaders: "draft-8" },
    ours: { quota: "2/h" },
    observe: async (server) => /^"([^"]*)"/.exec((await server.get()).headers["ratelimit"]!)![1],
    observed: { theirs: "free", ours: "2-in-3600s" },
  },
  {
    does: "headers may be switched off",
    theirs: { ...one, legacyHeaders: false, standardHeaders: false },
    ours: { quota: "1/h", headers: false },
    observe: async (server) => told(await server.get()),
    observed: { both: [] },
  },
  {
    does: "without headers a refusal has no `Retry-After`",
    theirs: { ...one, legacyHeaders: false, standardHeaders: false },
    ours: { quota: "1/h", headers: false },
    observe: async (server) => told(await refused(server)),
    observed: { theirs: [], ours: ["retry-after"] },
  },
  {
    does: "`Retry-After` comes with a refusal, and only then",
    ...{ theirs: one, ours: { quota: "1/h" } },
    observe: async (server) => {
      const [passed] = await of(server.get(), "retry-after");
      return [passed, Number((await of(server.get(), "retry-after"))[0]) > 0];
    },
    observed: { both: [undefined, true] },
  },
  {
    does: "`Retry-After` is the end of the window",
    ...{ theirs: two, ours: { quota: "2/h", using: "token-bucket" } },
    observe: (server) => of(refused(server), "retry-after"),
    observed: { theirs: ["3600"], ours: ["1800"] },
  },
  {
    does: "`retryAfter` says something else in `Retry-After`",
    ...{ theirs: { ...one, retryAfter: 7 }, ours: { quota: "1/h", using: "token-bucket" } },
    observe: (server) => of(refused(server), "retry-after"),
    observed: { theirs: ["7"], ours: ["3600"] },
  },
  {
    does: "`requestPropertyName`, `request.rateLimit` by default, tells the application what is left",
    ...{ theirs: two, ours: { quota: "2/h" } },
    observe: async (server) => JSON.parse((await server.get("/rate")).body)?.remaining,
    observed: { theirs: 1, ours: undefined },
  },
];

/** The names of the headers that a limiter set. */
function told({ headers }: Answered): string[] {
  return Object.keys(headers)
    .filter((name) => /^(x-)?ratelimit|^retry-after$/.test(name))
    .sort();
}

const KEYS: readonly Behaviour[] = [
  {
    does: "clients are told apart by their address, and `X-Forwarded-For` changes nothing",
    ...{ theirs: one, ours: { quota: "1/h" } },
    observe: (server) => from(server, "192.0.2.1", "192.0.2.2"),
    observed: { both: [200, 429] },
  },
  {
    does: "behind a proxy that is trusted, `X-Forwarded-For` tells clients apart",
    ...{ theirs: one, ours: { quota: "1/h", trustProxy: 1 }, app: behindProxy },
    observe: (server) => from(server, "192.0.2.1", "192.0.2.2", "192.0.2.9, 192.0.2.2"),
    observed: { both: [200, 200, 429] },
  },
  {
    does: "the setting `trust proxy` of the application says whom to believe",
    ...{ theirs: one, ours: { quota: "1/h" }, app: behindProxy },
    observe: (server) => from(server, "192.0.2.1", "192.0.2.2"),
    observed: { theirs: [200, 200], ours: [200, 429] },
  },
  {
    does: "addresses of IPv6 count by their network of 56 bits",
    ...{ theirs: one, ours: { quota: "1/h", trustProxy: 1 }, app: behindProxy },
    observe: (server) => from(server, "2001:db8:0:aa00::1", "2001:db8:0:aaff::2", "2001:db8:0:ab00::1"),
    observed: { both: [200, 429, 200] },
  },
  {
    does: "an address of IPv4 that is written as one of IPv6 is the same client",
    ...{ theirs: one, ours: { quota: "1/h", trustProxy: 1 }, app: behindProxy },
    observe: (server) => from(server, "::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2"),
    observed: { both: [200, 429, 200] },
  },
  {
    does: "`ipv6Subnet` is another length of these networks",
    theirs: { ...one, ipv6Subnet: 64 },
    ours: { quota: "1/h", key: (request) => ipKey(request.ip!, { ipv6Prefix: 64 }) },
    app: behindProxy,
    observe: (server) => from(server, "2001:db8:0:aa00::1", "2001:db8:0:aaff::2", "2001:db8:0:aaff::3"),
    observed: { both: [200, 200, 429] },
  },
  {
    does: "`ipKeyGenerator` makes a key of an address for a `keyGenerator` that falls back on it",
    theirs: { ...one, keyGenerator: (request) => user(request) ?? ipKeyGenerator(request.ip!) },
    ours: { quota: "1/h", key: (request) => user(request) ?? ipKey(request.ip!) },
    observe: async (server) => [...(await eachOf(server, "x-user", ["ann"])), ...(await server.statuses(2))],
    observed: { both: [200, 200, 429] },
  },
  {
    does: "`keyGenerator` says who spends",
    ...{ theirs: { ...one, keyGenerator: user }, ours: { quota: "1/h", key: user } },
    observe: (server) => eachOf(server, "x-user", ["ann", "bob", "ann"]),
    observed: { both: [200, 200, 429] },
  },
  {
    does: "`keyGenerator` may be asynchronous",
    ...{ theirs: { ...one, keyGenerator: later }, ours: { quota: "1/h", key: later } },
    observe: (server) => eachOf(server, "x-user", ["ann", "bob", "ann"]),
    observed: { both: [200, 200, 429] },
  },
  {
    does: "what `keyGenerator` throws goes to the error handler of the application",
    ...{ theirs: { ...one, keyGenerator: fails }, ours: { quota: "1/h", key: fails } },
    observe: async (server) => [await server.statuses(2), server.handled.length],
    observed: { both: [[500, 500], 0] },
  },
  {
    does: "requests for which `keyGenerator` answers nothing are one client",
    theirs: { ...one, keyGenerator: user },
    ours: { quota: "1/h", key: user },
    observe: statuses(2),
    observed: { theirs: [200, 429], ours: [500, 500] },
  },
];

const COUNTING: readonly Behaviour[] = [
  {
    does: "a request that `skip` names is not counted, and told nothing",
    theirs: { ...one, skip: async (request) => request.path === "/health" },
    ours: { quota: "1/h", skip: async (request) => request.path === "/health" },
    observe: async (server) => [
      await server.statuses(2, "/health"),
      told(await server.get("/health")),
      await server.statuses(2),
    ],
    observed: { both: [[200, 200], [], [200, 429]] },
  },
  {
    does: "with `skipFailedRequests` answers of 400 and above don't count",
    theirs: { ...two, ...k, skipFailedRequests: true },
    ours: { quota: "2/h", key, refundOn: (status) => status >= 400 },
    observe: async (server) => [
      await settling(server, "/status/404", [0, 0, 0]),
      await settling(server, "/", [1, 2]),
      await server.statuses(1),
    ],
    observed: { both: [[404, 404, 404], [200, 200], [429]] },
  },
  {
    does: "with `skipSuccessfulRequests` answers below 400 don't count",
    theirs: { ...two, ...k, skipSuccessfulRequests: true },
    ours: { quota: "2/h", key, refundOn: (status) => status < 400 },
    observe: async (server) => [
      await settling(server, "/", [0, 0, 0]),
      await settling(server, "/status/500", [1, 2]),
      await server.statuses(1),
    ],
    observed: { both: [[200, 200, 200], [500, 500], [429]] },
  },
  {
    does: "`requestWasSuccessful` says which answers these are, by their status",
    theirs: {
      ...{ ...two, ...k, skipSuccessfulRequests: true },
      requestWasSuccessful: (_request: Request, response: Response) => response.statusCode === 404,
    },
    ours: { quota: "2/h", key, refundOn: (status) => status === 404 },
    observe: (server) => settling(server, "/status/404", [0, 0, 0]),
    observed: { both: [404, 404, 404] },
  },
  {
    does: "`requestWasSuccessful` may go by the request as well",
    theirs: {
      ...two,
      ...k,
      skipSuccessfulRequests: true,
      requestWasSuccessful: (request) => !!user(request),
    },
    ours: { quota: "2/h", key, cost: (request) => (user(request) ? 0 : 1) },
    observe: async (server) => {
      await eachOf(server, "x-user", ["ann", "ann", "ann"]);
      await spends(server, 0);
      return server.statuses(3);
    },
    observed: { both: [200, 200, 429] },
  },
  {
    does: "`requestWasSuccessful` may go by the headers of the answer as well",
    theirs: {
      ...{ ...two, ...k, skipSuccessfulRequests: true },
      requestWasSuccessful: (_request: Request, response: Response) => response.hasHeader("etag"),
    },
    ours: { quota: "2/h", key, refundOn: (status) => status !== 200 },
    observe: async (server) => {
      await server.get();
      // Whatever comes back is back when somebody else was answered.
      await server.get("/", { "x-user": "somebody" });
      return server.statuses(1);
    },
    observed: { theirs: [200], ours: [429] },
  },
  {
    does: "with `skipFailedRequests` a request whose client went away before the answer does not count",
    theirs: { ...two, ...k, skipFailedRequests: true },
    ours: { quota: "2/h", key, refundOn: (status) => status >= 400 },
    observe: async (server) => {
      await server.leave();
      await server.get();
      return server.spent("k");
    },
    observed: { theirs: 1, ours: 2 },
  },
];

const STORES: readonly Behaviour[] = [
  {
    does: "with `passOnStoreError` requests pass while the store fails",
    theirs: { ...one, store: brokenStore()!, passOnStoreError: true },
    ours: { quota: "1/h", store: STORES_THAT_ARE_DOWN.allow },
    observe: statuses(2),
    observed: { both: [200, 200] },
  },
  {
    does: "without it what the store throws goes to the error handler of the application",
    theirs: { ...one, store: brokenStore()! },
    ours: { quota: "1/h", store: STORES_THAT_ARE_DOWN.throw },
    observe: async (server) => [...(await server.statuses(1)), server.handled.length],
    observed: { theirs: [500, 0], ours: [503, 0] },
  },
  {
    does: "each limiter needs a store of its own, or they count together",
    theirs: (() => {
      const store = new TheirMemoryStore();
      return [
        { ...two, store },
        { ...one, store },
      ];
    })(),
    ours: (() => {
      const store = new MemoryStore();
      return [
        { quota: "2/h", store },
        { quota: "1/h", store },
      ];
    })(),
    observe: async (server) => [await server.statuses(1), server.logged],
    observed: { theirs: [[429], ["ERR_ERL_STORE_REUSE", "ERR_ERL_DOUBLE_COUNT"]], ours: [[200], []] },
  },
  {
    does: "`getKey` tells what a client has spent",
    ...{ theirs: { ...two, ...k }, ours: { quota: "2/h", key } },
    observe: async (server) => {
      const before = await server.spent("k");
      await server.get();
      return [before, await server.spent("k")];
    },
    observed: { both: [0, 1] },
  },
  {
    does: "`resetKey` makes a client fresh",
    ...{ theirs: { ...one, ...k }, ours: { quota: "1/h", key } },
    observe: async (server) => {
      const before = await server.statuses(2);
      await server.reset("k");
      return [...before, ...(await server.statuses(2))];
    },
    observed: { both: [200, 429, 200, 429] },
  },
];

const TOGETHER: readonly Behaviour[] = [
  {
    does: "of several limiters on a route all have to let a request pass",
    theirs: [{ windowMs: HOUR, limit: 5 }, two],
    ours: [{ quota: "5/h" }, { quota: "2/h" }],
    observe: statuses(3),
    observed: { both: [200, 200, 429] },
  },
  {
    does: "of several limiters those after one that refuses are not asked",
    theirs: [one, { ...one, windowMs: 2 * HOUR }],
    ours: [{ quota: "1/h" }, { quota: "1/2h" }],
    observe: async (server) => {
      await server.statuses(3);
      return (await server.get()).status;
    },
    observed: { both: 429 },
  },
  {
    does: "of several limiters the last one tells in `legacyHeaders` what is left",
    theirs: [one, { windowMs: HOUR, limit: 5 }],
    ours: [
      { quota: "1/h", headers: "legacy" },
      { quota: "5/h", headers: "legacy" },
    ],
    observe: (server) => of(server.get(), "x-ratelimit-limit", "x-ratelimit-remaining"),
    observed: { theirs: ["5", "4"], ours: ["1", "0"] },
  },
  {
    does: "an option that is unknown is told to the `logger`, unless `validate` is `false`",
    theirs: { ...one, ...({ blockDuration: 5 } as object) },
    ours: { quota: "1/h", ...({ blockDuration: 5 } as object) },
    observe: (server) => server.logged,
    observed: {
      theirs: ["ERR_ERL_UNKNOWN_OPTION"],
      ours: expect.stringMatching(/^TypeError: Unknown option "blockDuration" in `options`/),
    },
  },
  {
    does: "`onLimitReached` is no option any more",
    theirs: { ...one, ...({ onLimitReached: () => {} } as object) },
    ours: { quota: "1/h", ...({ onLimitReached: () => {} } as object) },
    observe: (server) => server.logged,
    observed: {
      theirs: ["ERR_ERL_UNKNOWN_OPTION", "WRN_ERL_DEPRECATED_ON_LIMIT_REACHED"],
      ours: expect.stringMatching(/^TypeError: Unknown option "onLimitReached" in `options`/),
    },
  },
];

/** All of it, in the order of the documentation. */
export const BEHAVIOURS: readonly Behaviour[] = [
  ...QUOTA,
  ...REFUSALS,
  ...HEADERS,
  ...KEYS,
  ...COUNTING,
  ...STORES,
  ...TOGETHER,
];
