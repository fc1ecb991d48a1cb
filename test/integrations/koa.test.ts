import { createServer } from "node:http";
import Koa, { type Context } from "koa";
import Koa2 from "koa-2";
import { describe } from "vitest";
import { throttle } from "../../src/integrations/koa.js";
import { listen, webSuite } from "./web-suite.js";

describe.each([
  ["3", Koa],
  ["2", Koa2 as unknown as typeof Koa],
])("Koa %s", (_, Koa) => {
  webSuite<Context>({
    start: (limiters, answer) => {
      const app = new Koa();
      app.silent = true;
      for (const options of limiters) app.use(throttle(options));
      app.use((context) => Object.assign(context, answer(context.path)));
      return listen(createServer(app.callback()));
    },
    header: (context, name) => context.get(name) || undefined,
  });
});
