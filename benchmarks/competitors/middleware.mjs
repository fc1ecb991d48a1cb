// @ts-check

/** @typedef {import("../measure/http-contestants.mjs").Limits} Limits */

/** The best known middleware of each framework. @type {Record<import("../measure/http-contestants.mjs").Framework, (limits: Limits) => Promise<any>>} */
export const THEIRS = { express: expressRateLimit, fastify: fastifyRateLimit, hono: honoRateLimiter };

/** @param {Limits} limits */
async function expressRateLimit({ limit, ms, headers, keyOf }) {
  const { rateLimit } = await import("express-rate-limit");
  const legacy = headers === "legacy";
  return rateLimit({
    windowMs: ms,
    limit,
    legacyHeaders: legacy,
    standardHeaders: /** @type {any} */ (legacy ? false : headers),
    ...(keyOf && { keyGenerator: keyOf }),
  });
}

/** @param {Limits} limits */
async function fastifyRateLimit({ limit, ms, keys, keyOf }) {
  const { default: plugin } = await import("@fastify/rate-limit");
  return [plugin, { max: limit, timeWindow: ms, cache: 2 * keys, ...(keyOf && { keyGenerator: keyOf }) }];
}

/** @param {Limits} limits */
async function honoRateLimiter({ limit, ms, headers, keyOf }) {
  const { rateLimiter } = await import("hono-rate-limiter");
  return rateLimiter(
    /** @type {any} */ ({ windowMs: ms, limit, standardHeaders: headers, keyGenerator: keyOf }),
  );
}
