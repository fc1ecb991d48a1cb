// @ts-check
// One real HTTP server guarded by throttled. demo.mjs starts it as a process of its own, twice when they share a Redis.
import { createServer } from "node:http";
import { MemoryStore, Throttled } from "throttled";

/**
 * What demo.mjs sends first.
 * @typedef {Pick<import("./scenes.mjs").Scene, "using" | "quota" | "timeoutMs"> & { redisUrl: string | undefined, prefix: string }} Config
 */

/**
 * What it answers.
 * @typedef {{ origin?: string, problem?: string }} Started
 */

/**
 * Where state is kept, and the time by the clock that decides.
 * @typedef {{ store: import("throttled").Store, now: () => number | Promise<number> }} Shelf
 */

process.once("message", (config) => {
  serve(/** @type {Config} */ (config)).catch((error) => {
    process.send?.({ problem: error.message }, () => process.exit(1));
  });
});
process.once("disconnect", () => process.exit());
// Ctrl-C reaches the whole group; demo.mjs ends its servers itself.
process.on("SIGINT", () => {});

/** @param {Config} config */
async function serve({ using, quota, timeoutMs, redisUrl, prefix }) {
  const { store, now } = redisUrl === undefined ? inMemory() : await inRedis(redisUrl, prefix);
  const throttle = new Throttled({ key: "everybody", using, quota, timeout: timeoutMs, store });

  const server = createServer(async (request, response) => {
    try {
      if (request.url === "/clock") return response.end(`${await now()}`);
      // Between these two moments it was let through or refused, whatever the clocks of others say.
      const from = await now();
      const { limited, retryAfterMs } = await throttle.limit();
      const to = await now();
      response.statusCode = limited ? 429 : 200;
      if (limited) response.setHeader("retry-after", Math.ceil(retryAfterMs / 1000));
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ from, to }));
    } catch (error) {
      response.statusCode = 503;
      response.end(String(error));
    }
  });
  server.listen(0, "127.0.0.1", () => {
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    process.send?.({ origin: `http://127.0.0.1:${port}` });
  });
}

/** @returns {Shelf} */
function inMemory() {
  const store = new MemoryStore();
  return { store, now: () => store.clock.now() };
}

/**
 * @param {string} url
 * @param {string} prefix
 * @returns {Promise<Shelf>}
 */
async function inRedis(url, prefix) {
  const [{ Redis }, { RedisStore }] = await Promise.all([import("ioredis"), import("throttled/redis")]);
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 3000, retryStrategy: () => null });
  let problem = "";
  redis.on("error", (error) => {
    problem = error.message;
  });
  await redis.connect().catch((error) => {
    throw new Error(`Redis at ${redis.options.host}:${redis.options.port}: ${problem || error.message}`);
  });
  const now = async () => {
    const [seconds, microseconds] = await redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  };
  return { store: new RedisStore(redis, { prefix, deadline: "5s" }), now };
}
