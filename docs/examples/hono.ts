// Hono on Node: start it, then `curl -i localhost:3000` seven times.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { throttle } from "throttled/hono";

const app = new Hono();
app.get("/health", (context) => context.text("Fine\n"));
// What stands before it is not limited.
app.use(throttle({ quota: "5/m" }));
app.get("/", (context) => context.text("Hello\n"));

serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 3000) }, ({ port }) => {
  console.log(`Listening on port ${port}`);
});
