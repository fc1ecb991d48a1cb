import "reflect-metadata";
import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import { All, Controller, Module, type ModuleMetadata, Req, Res } from "@nestjs/common";
import { type AbstractHttpAdapter, NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { describe } from "vitest";
import { type HttpRequest, ThrottleModule } from "../../src/integrations/nestjs.js";
import { type Running, running, webSuite } from "../integrations/web-suite.js";
import { GLOBAL, routesSuite } from "./nestjs-routes.js";

/** What the adapter must do, on the version of Nest that is imported. */
export function nestSuite(): void {
  describe("on Express", () => platformSuite(() => new ExpressAdapter(), "{*path}"));
  describe("on Fastify", () => platformSuite(fastify, "*"));
}

function fastify(): FastifyAdapter {
  const adapter = new FastifyAdapter();
  // Guards are asked once the body is read, and Fastify reads none of unknown type.
  adapter.getInstance().addContentTypeParser("*", async (_: unknown, body: IncomingMessage) => {
    await once(body.resume(), "end");
  });
  return adapter;
}

/** `anyPath` is how routes of the platform say that they take any. */
function platformSuite(adapter: () => AbstractHttpAdapter, anyPath: string): void {
  async function listen(metadata: ModuleMetadata): Promise<Running> {
    @Module(metadata)
    class App {}
    const app = await NestFactory.create(App, adapter(), { logger: false, abortOnError: false });
    await app.listen(0, "127.0.0.1");
    const server: Server = app.getHttpServer();
    const close = async () => {
      server.closeAllConnections();
      await app.close();
    };
    return { ...running(server), close };
  }

  webSuite<HttpRequest>({
    start: (limiters, answer) => {
      @Controller()
      class Pages {
        @All(anyPath)
        page(
          @Req() request: HttpRequest,
          @Res({ passthrough: true }) response: { status(code: number): void },
        ) {
          const { status, body } = answer(request.url);
          response.status(status);
          return body;
        }
      }
      const imports = limiters.map((options) => {
        @Module({ imports: [ThrottleModule.forRoot(options)], providers: [GLOBAL] })
        class Limiter {}
        return Limiter;
      });
      return listen({ imports, controllers: [Pages] });
    },
    header: (request, name) => request.headers[name]?.toString(),
    // By the filter that Nest has for what no other filter catches.
    sent: ({ status, contentType, body }) => ({
      status,
      contentType: "application/json; charset=utf-8",
      body: contentType.startsWith("text/") ? JSON.stringify({ statusCode: status, message: body }) : body,
    }),
  });

  routesSuite(listen);
}
