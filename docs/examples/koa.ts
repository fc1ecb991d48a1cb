// Koa: start it, then `curl -i localhost:3000` seven times.
import type { AddressInfo } from "node:net";
import Koa from "koa";
import { throttle } from "throttled/koa";

const app = new Koa();
app.use(throttle({ quota: "5/m", skip: (context) => context.path === "/health" }));
app.use((context) => {
  context.body = context.path === "/health" ? "Fine\n" : "Hello\n";
});

const server = app.listen(Number(process.env["PORT"] ?? 3000), () => {
  console.log(`Listening on port ${(server.address() as AddressInfo).port}`);
});
