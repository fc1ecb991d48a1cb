import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import express, { type ErrorRequestHandler, type Request } from "express";
import express4 from "express-4";
import { describe, expect, test, vi } from "vitest";
import { MemoryStore, Throttled } from "../../src/index.js";
import { throttle } from "../../src/integrations/express.js";
import { listen, webSuite } from "./web-suite.js";

describe.each([
  ["5", express],
  ["4", express4 as unknown as typeof express],
])("Express %s", (_, express) => {
  webSuite<Request>({
    start: (limiters, answer) => {
      const app = express();
      for (const options of limiters) app.use(throttle(options));
      app.use((request, response) => {
        const { status, body } = answer(request.path);
        response.status(status).send(body);
      });
      return listen(createServer(app));
    },
    header: (request, name) => request.get(name),
  });

  test("an answer that its client did not wait for gives nothing back", async () => {
    const app = express();
    const store = new MemoryStore();
    const events = new EventEmitter();
    app.use(throttle({ quota: "2/h", key: () => "k", store, refundOn: () => true }));
    app.use((_request, response) => {
      events.emit("asked");
      response.once("close", () => {
        response.send("too late");
        setImmediate(() => events.emit("answered"));
      });
    });
    const server = await listen(createServer(app));
    const [asked, answered] = [once(events, "asked"), once(events, "answered")];
    const controller = new AbortController();
    const aborted = server.fetch("/", { signal: controller.signal });
    await asked;
    controller.abort();
    await expect(aborted).rejects.toThrow();
    await answered;
    expect(new Throttled({ quota: "2/h", store }).peekSync("k").remaining).toBe(1);
    await server.close();
  });

  test("an answer that somebody else gave in the meantime stays, and the process runs on", async () => {
    const app = express();
    const heard = vi.fn();
    app.use((_request, response, next) => {
      next();
      response.status(504).send("Took too long");
    });
    app.use(throttle({ quota: "5/h", store: new MemoryStore() }), heard);
    const errors: unknown[] = [];
    app.use(((error, _request, _response, _next) => errors.push(error)) as ErrorRequestHandler);
    const server = await listen(createServer(app));
    const response = await server.fetch("/");
    expect([response.status, await response.text()]).toEqual([504, "Took too long"]);
    await vi.waitFor(() => expect(errors).toMatchObject([{ code: "ERR_HTTP_HEADERS_SENT" }]));
    expect(heard).not.toHaveBeenCalled();
    await server.close();
  });
});
