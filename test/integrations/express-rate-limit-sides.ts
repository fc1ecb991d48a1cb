import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from "express";
import { type Options, type RateLimitRequestHandler, rateLimit } from "express-rate-limit";
import { type AlgorithmName, MemoryStore, Throttled } from "../../src/index.js";
import { type ThrottleOptions, throttle } from "../../src/integrations/express.js";
import type { Quotas } from "../../src/integrations/gate.js";
import { ManualClock } from "../../src/testing.js";
import { listen, type Running } from "./web-suite.js";

/** What one limiter is told, or several in turn. */
export type Setup<T> = T | readonly T[];
export type TheirOptions = Partial<Options>;

/** The middleware of one side, and what can be asked of it besides requests. */
export interface Side {
  readonly limiters: readonly RequestHandler[];
  /** What a client has spent at the first of the limiters. */
  spent(key: string): Promise<number>;
  /** Makes a client fresh at the first of the limiters. */
  reset(key: string): Promise<void>;
  later(ms: number): void;
  /** What was logged when the limiters were made. */
  readonly logged: readonly string[];
}

/** When both begin: a moment at which windows of an hour do. */
export const START = 1_800_000_000_000;

/** Limiters of express-rate-limit; `later` moves the time of the day, by which they go. */
export function theirSide(setup: Setup<TheirOptions>, setTime: (now: number) => void): Side {
  const logged: string[] = [];
  const log = (error: unknown): void => void logged.push((error as { code: string }).code);
  const logger = { warn: log, error: log };
  const limiters = [setup].flat().map((options) => rateLimit({ logger, ...options }));
  const [first] = limiters as [RateLimitRequestHandler];
  let now = START;
  setTime(now);
  return {
    limiters,
    logged,
    spent: async (key) => (await first.getKey(key))?.totalHits ?? 0,
    reset: async (key) => first.resetKey(key),
    later: (ms) => {
      now += ms;
      setTime(now);
    },
  };
}

/** Limiters of this library under one algorithm, on a store of their own unless they have one. */
export function ourSide(
  setup: Setup<ThrottleOptions>,
  using: AlgorithmName,
  setTime: (now: number) => void,
): Side {
  const clock = new ManualClock(START);
  setTime(START);
  const common = { using, store: new MemoryStore({ clock }) };
  const all = [setup].flat();
  const limiters = all.map((options) => throttle({ ...common, ...options }));
  const first = () => new Throttled({ ...common, quota: all[0]!.quota as Quotas });
  return {
    limiters,
    logged: [],
    spent: async (key) => {
      const { limit, remaining } = await first().peek(key);
      return limit - remaining;
    },
    reset: (key) => first().reset(key),
    later: (ms) => {
      clock.advance(ms);
      setTime(clock.now());
    },
  };
}

/** An answer. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A server behind the limiters of one side. */
export interface Served extends Omit<Side, "limiters"> {
  get(path?: string, headers?: Record<string, string>): Promise<Answered>;
  /** The statuses of so many requests, one after the other. */
  statuses(count: number, path?: string, headers?: Record<string, string>): Promise<number[]>;
  /** A request whose client goes away before it is answered. */
  leave(): Promise<void>;
  /** The requests that the application heard of, and the errors. */
  readonly handled: readonly string[];
  readonly errors: readonly string[];
  close(): Promise<void>;
}

/** An application that answers `/status/404` with 404, `/rate` with what a limiter left on the request, and `/wait` not at all. */
export async function serve(side: Side, configure: (app: Express) => void = () => {}): Promise<Served> {
  const handled: string[] = [];
  const errors: string[] = [];
  const app = express();
  configure(app);
  app.use(...side.limiters);
  const waiting = new EventEmitter();
  app.get("/wait", (_request, response) => {
    waiting.emit("asked");
    response.once("close", () => waiting.emit("left"));
  });
  app.use((request: Request, response) => {
    handled.push(request.path);
    if (request.path === "/rate") response.json((request as { rateLimit?: unknown }).rateLimit ?? null);
    else response.status(Number(/\/status\/(\d+)/.exec(request.path)?.[1] ?? 200)).send("hello");
  });
  app.use(((error, _request, _response, next) => {
    errors.push(String(error));
    next(error);
  }) as ErrorRequestHandler);
  const server = await listen(createServer(app));
  const get = (path = "/", headers = {}) => answered(server, path, headers);
  return {
    ...side,
    handled,
    errors,
    get,
    statuses: async (count, path, headers) => {
      const all: number[] = [];
      for (let i = 0; i < count; i++) all.push((await get(path, headers)).status);
      return all;
    },
    leave: async () => {
      const controller = new AbortController();
      const [asked, left] = [once(waiting, "asked"), once(waiting, "left")];
      const aborted = server.fetch("/wait", { signal: controller.signal });
      await asked;
      controller.abort();
      await Promise.allSettled([aborted, left]);
    },
    close: () => server.close(),
  };
}

async function answered(server: Running, path: string, headers: Record<string, string>): Promise<Answered> {
  const response = await server.fetch(path, { headers });
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
}
