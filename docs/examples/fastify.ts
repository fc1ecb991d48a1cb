// Fastify: start it, then `curl -i localhost:3000` seven times.
import type { AddressInfo } from "node:net";
import { fastify } from "fastify";
import { throttlePlugin } from "throttled/fastify";

const app = fastify();
await app.register(throttlePlugin, { quota: "5/m" });
app.get("/", async () => "Hello\n");
app.get("/health", { config: { throttle: false } }, async () => "Fine\n");
// In place of the five: two an hour, each route with a state of its own.
app.get("/report", { config: { throttle: { quota: "2/h", prefix: "report" } } }, async () => "Report\n");

await app.listen({ port: Number(process.env["PORT"] ?? 3000) });
console.log(`Listening on port ${(app.server.address() as AddressInfo).port}`);
