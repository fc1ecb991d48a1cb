// @ts-check
// A server with one limiter or none. Its first message is its port; after that it answers each message with its CPU time.
import { once } from "node:events";
import { THEIRS } from "../competitors/middleware.mjs";
import { OURS } from "../ours/middleware.mjs";

/** @typedef {import("../measure/http-contestants.mjs").Contestant} Contestant */

/** So much that nothing is refused. */
const LIMITS = { limit: 1e6, ms: 604_800_000, keys: 1_000 };

const KEY_HEADER = "x-user";

/** How each framework starts a server, and where it has the headers of a request. */
const FRAMEWORKS = {
  express: { start: express, keyOf: (/** @type {any} */ request) => request.headers[KEY_HEADER] },
  fastify: { start: fastify, keyOf: (/** @type {any} */ request) => request.headers[KEY_HEADER] },
  hono: { start: hono, keyOf: (/** @type {any} */ context) => context.req.header(KEY_HEADER) },
};

process.env["NODE_ENV"] = "production";
process.once("disconnect", () => process.exit());
const [contestant] = await once(process, "message");
process.send?.({ port: await listen(contestant) });
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system });
});

/** @param {Contestant} contestant @returns {Promise<number>} its port */
async function listen({ framework, key, limiter, headers }) {
  const { start, keyOf } = FRAMEWORKS[framework];
  const limits = { ...LIMITS, headers, ...(key === "header" && { keyOf }) };
  const made = { none: () => undefined, ours: OURS[framework], theirs: THEIRS[framework] }[limiter](limits);
  const server = await start(await made);
  if (!server.listening) await once(server, "listening");
  return /** @type {import("node:net").AddressInfo} */ (server.address()).port;
}

/** @param {any} middleware */
async function express(middleware) {
  const { default: express } = await import("express");
  const app = express();
  app.set("trust proxy", 1);
  if (middleware) app.use(middleware);
  app.get("/", (_request, response) => void response.send("hello"));
  return app.listen(0, "127.0.0.1");
}

/** @param {any} plugin with its options */
async function fastify(plugin) {
  const { fastify } = await import("fastify");
  const app = fastify({ trustProxy: 1 });
  if (plugin) await app.register(plugin[0], plugin[1]);
  app.get("/", async () => "hello");
  await app.listen({ host: "127.0.0.1", port: 0 });
  return app.server;
}

/** @param {any} middleware */
async function hono(middleware) {
  const { Hono } = await import("hono");
  const { serve } = await import("@hono/node-server");
  const app = new Hono();
  if (middleware) app.use(middleware);
  app.get("/", (context) => context.text("hello"));
  return /** @type {import("node:http").Server} */ (
    serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 })
  );
}
