import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { inTempFolder, node, ROOT } from "./node.js";

/** The same of each framework; a request has its own type in every function. */
const PROGRAMS = {
  "express.mts": `
    import express from "express";
    import { throttle, type ThrottleOptions } from "throttled/express";

    const options: ThrottleOptions = {
      quota: (request) => (request.get("x-plan") === "pro" ? "1000/h" : undefined),
      key: async (request) => request.get("x-user") ?? request.ip ?? "nobody",
      cost: (request) => request.path.length,
      skip: (request) => request.method === "OPTIONS",
      message: (request, { retryAfterMs }) => ({ url: request.originalUrl, retryAfterMs }),
      onLimited: (request) => console.log(request.socket.remoteAddress),
    };
    const app = express().use(throttle(options));
    app.post("/login", throttle({ quota: ["5/m", { limit: 100, period: "1d" }] }), (_request, response) => {
      response.send("hello");
    });
    // @ts-expect-error: a request of Express has no such thing.
    throttle({ key: (request) => request.nonsense });
    // @ts-expect-error: no such option.
    throttle({ max: 5 });`,
  "fastify.mts": `
    import { fastify } from "fastify";
    import { type ThrottleOptions, throttlePlugin } from "throttled/fastify";

    const options: ThrottleOptions = {
      hook: "preHandler",
      global: false,
      quota: (request) => (request.headers["x-plan"] === "pro" ? "1000/h" : undefined),
      key: async (request) => request.ip,
      cost: (request) => request.url.length,
      message: (request, { retryAfterMs }) => ({ url: request.routeOptions.url, retryAfterMs }),
    };
    const app = fastify();
    app.register(throttlePlugin, options);
    await app.register(throttlePlugin, { quota: "100/m", prefix: "all" });
    app.get("/own", { config: { throttle: { quota: "5/m", key: ({ ip }) => ip } } }, async () => "hello");
    app.get("/free", { config: { throttle: false } }, async () => "hello");
    // @ts-expect-error: a request of Fastify has no such thing.
    app.register(throttlePlugin, { key: (request) => request.nonsense });
    // @ts-expect-error: it is a function.
    app.get("/wrong", { config: { throttle: { key: "ip" } } }, async () => "hello");
    // @ts-expect-error: no such hook.
    app.register(throttlePlugin, { hook: "onSend" });`,
  "koa.mts": `
    import Koa from "koa";
    import { throttle, type ThrottleOptions } from "throttled/koa";

    const options: ThrottleOptions = {
      quota: (context) => (context.get("x-plan") === "pro" ? "1000/h" : undefined),
      key: async (context) => context.ip,
      cost: (context) => context.path.length,
      message: (context, { retryAfterMs }) => ({ url: context.req.url, retryAfterMs }),
    };
    const app = new Koa();
    app.use(throttle(options)).use(throttle());
    // @ts-expect-error: a path has no such thing.
    throttle({ key: (context) => context.path.nonsense });`,
  "hono.mts": `
    import { Hono } from "hono";
    import { throttle, type ThrottleOptions } from "throttled/hono";

    const options: ThrottleOptions = {
      quota: (context) => (context.req.header("x-plan") === "pro" ? "1000/h" : undefined),
      key: async (context) => context.get("user"),
      cost: (context) => context.req.path.length,
      message: (context, { retryAfterMs }) => ({ url: context.req.url, retryAfterMs }),
    };
    const app = new Hono<{ Variables: { user: string } }>();
    app.use(throttle(options));
    app.post("/login", throttle({ quota: "5/m" }), (context) => context.text(context.get("user")));
    // @ts-expect-error: a request of Hono has no such thing.
    throttle({ key: (context) => context.req.nonsense });`,
  "nestjs.mts": `
    import { type ExecutionContext, Injectable, Module, UseGuards } from "@nestjs/common";
    import type { Request } from "express";
    import type { FastifyRequest } from "fastify";
    import { SkipThrottle, Throttle, ThrottleGuard, ThrottleModule, type ThrottleOptions } from "throttled/nestjs";

    const options: ThrottleOptions = {
      quota: (request) => (request.headers["x-plan"] === "pro" ? "1000/h" : undefined),
      key: async (request) => request.ip ?? "nobody",
      cost: (request) => request.url.length,
      message: (request, { retryAfterMs }) => ({ method: request.method, retryAfterMs }),
    };
    class Quotas {
      readonly quota = "100/m";
    }
    const later = ThrottleModule.forRootAsync({
      imports: [ThrottleModule.forRoot(options)],
      inject: [Quotas],
      useFactory: async ({ quota }: Quotas) => ({ quota, key: (request) => request.url }),
    });
    @Module({ imports: [later, ThrottleModule.forRoot(), ThrottleModule.forRoot({ quota: "5/m" })] })
    export class App {}

    @Injectable()
    export class Guard extends ThrottleGuard<Request> {
      protected override getRequestResponse(context: ExecutionContext) {
        const [, , { req, res }] = context.getArgs();
        return { req, res };
      }
    }

    @UseGuards(Guard, new ThrottleGuard({ key: (request: FastifyRequest) => request.hostname }))
    @Throttle({ quota: "5/m", key: (request: Request) => request.get("x-user") ?? "nobody" })
    export class Pages {
      @SkipThrottle(false) @Throttle({ cost: (request: FastifyRequest) => request.url.length }) page() {}
      @SkipThrottle() @Throttle({ key: ({ url }) => url }) free() {}
    }
    // @ts-expect-error: a request has no such thing, unless it is said whose it is.
    Throttle({ key: (request) => request.hostname });
    // @ts-expect-error: no such option.
    Throttle({ limit: 5 });
    // @ts-expect-error: no request at all.
    ThrottleModule.forRoot({ key: (request: string) => request });`,
};

/** Folders of our own modules, by the names under which a project would have them. */
const OLDEST = {
  "@nestjs": "nest-11/node_modules/@nestjs",
  "@types/express": "@types/express-4",
  "@types/koa": "@types/koa-2",
  fastify: "fastify-4",
};
const NEWEST = {
  "@nestjs": "@nestjs",
  "@types/express": "@types/express",
  "@types/koa": "@types/koa",
  fastify: "fastify",
};

test.each([
  ["oldest", OLDEST],
  ["newest", NEWEST],
])("the adapters compile with the %s supported major of each framework", async (_, modules) => {
  await inTempFolder(async (project) => {
    const link = (to: string, from: string): void => {
      mkdirSync(dirname(join(project, "node_modules", to)), { recursive: true });
      symlinkSync(join(ROOT, "node_modules", from), join(project, "node_modules", to), "dir");
    };
    for (const [to, from] of Object.entries({ ...modules, hono: "hono", "@types/node": "@types/node" }))
      link(to, from);
    // A copy: from behind a link it would find the frameworks of this project instead.
    const installed = join(project, "node_modules/throttled");
    for (const part of ["package.json", "dist"])
      cpSync(join(ROOT, part), join(installed, part), { recursive: true });
    for (const [file, source] of Object.entries(PROGRAMS)) writeFileSync(join(project, file), source);
    const compilerOptions = {
      target: "ES2022",
      module: "nodenext",
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      experimentalDecorators: true,
      skipLibCheck: true,
      noEmit: true,
    };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.mts"] }));
    const compiled = await node([join(ROOT, "node_modules/typescript/bin/tsc"), "-p", "."], project);
    expect(compiled).toEqual({ output: "", code: 0, signal: null });
  });
});
