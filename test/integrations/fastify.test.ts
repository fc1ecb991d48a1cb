import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import fastify4 from "fastify-4";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryStore } from "../../src/index.js";
import { type ThrottleOptions, throttlePlugin } from "../../src/integrations/fastify.js";
import { ManualClock } from "../../src/testing.js";
import { running, webSuite } from "./web-suite.js";

describe.each([
  ["5", fastify],
  ["4", fastify4 as unknown as typeof fastify],
])("Fastify %s", (_, fastify) => {
  webSuite<FastifyRequest>({
    start: async (limiters, answer) => {
      const app = fastify();
      for (const options of limiters) app.register(throttlePlugin, options as ThrottleOptions);
      app.all("*", async (request, reply) => {
        const { status, body } = answer(request.url);
        return reply.code(status).send(body);
      });
      await app.listen({ host: "127.0.0.1", port: 0 });
      return { ...running(app.server), close: () => app.close() as unknown as Promise<void> };
    },
    header: (request, name) => request.headers[name]?.toString(),
  });

  describe("the plugin", () => {
    let app: FastifyInstance;
    let options: ThrottleOptions;

    beforeEach(() => {
      app = fastify({ forceCloseConnections: true });
      options = { quota: "2/h", store: new MemoryStore({ clock: new ManualClock() }) };
    });
    afterEach(() => app.close());

    const hello = async () => "hello";
    const ask = async (url: string, count = 1, method: "GET" | "HEAD" | "POST" = "GET") => {
      const all: unknown[] = [];
      for (let i = 0; i < count; i++) {
        const { statusCode, headers } = await app.inject({ url, method });
        all.push(statusCode, headers["ratelimit"] ?? "-");
      }
      return all;
    };
    const [once, twice, refused] = [200, 200, 429];

    test("limits what is for no route, and routes that were there before it", async () => {
      app.get("/early", hello);
      await app.register(throttlePlugin, options);
      app.get("/late", hello);
      expect(await ask("/early")).toEqual([once, '"2-in-3600s";r=1;t=1800']);
      expect(await ask("/nowhere")).toEqual([404, '"2-in-3600s";r=0;t=3600']);
      expect(await ask("/late")).toEqual([refused, '"2-in-3600s";r=0;t=1800']);
    });

    test("charges HEAD once where Fastify made its route of that for GET", async () => {
      await app.register(throttlePlugin, options);
      app.get("/", hello);
      app.get("/own", { config: { throttle: { quota: "5/h" } } }, hello);
      expect(await ask("/", 1, "HEAD")).toEqual([once, '"2-in-3600s";r=1;t=1800']);
      expect(await ask("/own", 1, "HEAD")).toEqual([once, '"5-in-3600s";r=4;t=720']);
    });

    test("has other options for routes that say so, and none for those that say false", async () => {
      app.get("/early", { config: { throttle: { quota: "5/h", prefix: "early" } } }, hello);
      await app.register(throttlePlugin, { ...options, headers: "draft-7" });
      app.get("/own", { config: { throttle: { quota: "5/h" } } }, hello);
      app.get("/free", { config: { throttle: false } }, hello);
      app.get("/", hello);
      const limitedTo5 = [once, "limit=5, remaining=4, reset=720"];
      expect([await ask("/own"), await ask("/early")]).toEqual([limitedTo5, limitedTo5]);
      expect(await ask("/free", 3)).toEqual([once, "-", twice, "-", 200, "-"]);
      expect(await ask("/")).toEqual([once, "limit=2, remaining=1, reset=1800"]);
    });

    test("leaves alone what does not say so itself, if it is not global", async () => {
      await app.register(throttlePlugin, { ...options, global: false });
      app.get("/", hello);
      app.get("/own", { config: { throttle: { cost: 2 } } }, hello);
      expect(await ask("/", 2)).toEqual([once, "-", twice, "-"]);
      expect(await ask("/nowhere")).toEqual([404, "-"]);
      expect(await ask("/own", 2)).toEqual([
        once,
        '"2-in-3600s";r=0;t=3600',
        refused,
        '"2-in-3600s";r=0;t=3600',
      ]);
    });

    test("asks when the hook says, so that a key may be in the body", async () => {
      const key = ({ body }: FastifyRequest) => (body as { user: string }).user;
      for (const hook of ["preValidation", "preHandler"] as const) {
        await app.register(async (scope) => {
          await scope.register(throttlePlugin, { ...options, hook, key, prefix: hook });
          scope.post(`/${hook}`, hello);
        });
        const statuses = [];
        for (const user of ["ann", "ann", "ann", "bob"]) {
          statuses.push(
            (await app.inject({ url: `/${hook}`, method: "POST", payload: { user } })).statusCode,
          );
        }
        expect(statuses).toEqual([200, 200, 429, 200]);
        app = fastify();
      }
    });

    test.each(["onRequest", "preParsing"] as const)("asks %s before the body is read", async (hook) => {
      await app.register(throttlePlugin, { ...options, hook });
      app.post("/", hello);
      const post = () =>
        app.inject({
          url: "/",
          method: "POST",
          payload: "{",
          headers: { "content-type": "application/json" },
        });
      expect([(await post()).statusCode, (await post()).statusCode, (await post()).statusCode]).toEqual([
        400, 400, 429,
      ]);
    });

    test("limits where it is registered, and what is inside", async () => {
      app.get("/", hello);
      await app.register(async (scope) => {
        await scope.register(throttlePlugin, options);
        scope.get("/inside", hello);
        await scope.register(async (deeper) => deeper.get("/deeper", hello));
      });
      expect(await ask("/inside")).toEqual([once, '"2-in-3600s";r=1;t=1800']);
      expect(await ask("/deeper")).toEqual([once, '"2-in-3600s";r=0;t=3600']);
      expect(await ask("/")).toEqual([once, "-"]);
    });

    test("adds to those around it, and a route with its own options is for the innermost alone", async () => {
      await app.register(throttlePlugin, options);
      await app.register(async (scope) => {
        await scope.register(throttlePlugin, { ...options, quota: "9/d" });
        scope.get("/both", hello);
        scope.get("/own", { config: { throttle: { cost: 3 } } }, hello);
      });
      app.get("/outer", { config: { throttle: { quota: "5/h" } } }, hello);
      expect(await ask("/both")).toEqual([once, '"2-in-3600s";r=1;t=1800, "9-in-86400s";r=8;t=9600']);
      expect(await ask("/own")).toEqual([once, '"9-in-86400s";r=5;t=38400']);
      expect(await ask("/outer")).toEqual([once, '"5-in-3600s";r=4;t=720']);
    });

    test("fails to register with an option that is wrong, and so does a route", async () => {
      await expect(app.register(throttlePlugin, { max: 5 } as never)).rejects.toThrow('Unknown option "max"');
      app = fastify();
      await app.register(throttlePlugin, options);
      const wrong = { config: { throttle: { quota: "often" } } };
      expect(() => app.get("/", wrong, hello)).toThrow('Expected `quota` to be like "10/s"');
    });
  });
});
