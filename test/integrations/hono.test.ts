import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../src/index.js";
import { type ThrottleOptions, throttle } from "../../src/integrations/hono.js";
import { type Answer, listen, webSuite } from "./web-suite.js";

function appOf(limiters: readonly ThrottleOptions[], answer: (path: string) => Answer): Hono {
  const app = new Hono();
  for (const options of limiters) app.use(throttle(options));
  app.all("*", (context) => {
    const { status, body } = answer(context.req.path);
    return context.text(body, status as 200);
  });
  return app.onError((_, context) => context.text("Internal Server Error", 500));
}

const header = (context: Context, name: string) => context.req.header(name);

describe("Hono on Node", () => {
  webSuite<Context>({
    start: (limiters, answer) => listen(createServer(getRequestListener(appOf(limiters, answer).fetch))),
    header,
  });
});

describe("Hono without a server", () => {
  webSuite<Context>({
    start: async (limiters, answer) => {
      const app = appOf(limiters, answer);
      return { fetch: async (path, init) => app.request(path, init), close: async () => {} };
    },
    header,
  });
});

test("a response that the application got from elsewhere is told of limits as well", async () => {
  const app = new Hono();
  const store = new MemoryStore();
  app.use(throttle({ quota: "9/h", store }), throttle({ quota: "5/m", store }));
  app.get("*", () => {
    const response = new Response("from elsewhere", { headers: { "X-Own": "kept" } });
    // As those of fetch are.
    const set = (): never => {
      throw new TypeError("immutable");
    };
    Object.assign(response.headers, { set });
    return response;
  });
  const { headers } = await app.request("/");
  expect(headers.get("ratelimit")).toBe('"9-in-3600s";r=8;t=400, "5-in-60s";r=4;t=12');
  expect(headers.get("x-own")).toBe("kept");
});
