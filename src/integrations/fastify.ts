import type { FastifyContextConfig, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { Gate, type ThrottleOptions as Options } from "./gate.js";
import { originOf, whenAnswered } from "./node.js";
import type { HeaderName } from "./rate-limit-headers.js";

/** Options of the plugin. */
export interface ThrottleOptions extends Options<FastifyRequest> {
  /** When requests are asked about, `"onRequest"` by default; later ones know who is logged in, or the body. */
  readonly hook?: "onRequest" | "preParsing" | "preValidation" | "preHandler" | undefined;
  /** Whether requests are limited whose routes don't say so themselves; `true` by default. */
  readonly global?: boolean | undefined;
  /** Put before each key, with a colon; no prefix of routes, although Fastify has an option of this name. */
  readonly prefix?: string;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Options that replace those of the plugin for this route, or `false` to let its requests pass. */
    readonly throttle?: Options<FastifyRequest> | false;
  }
}

/** Fastify makes names lower case, which for each answer anew costs as much as the rest of a header. */
const LOWER_CASE: Readonly<Record<HeaderName, string>> = {
  "RateLimit-Policy": "ratelimit-policy",
  RateLimit: "ratelimit",
  "X-RateLimit-Limit": "x-ratelimit-limit",
  "X-RateLimit-Remaining": "x-ratelimit-remaining",
  "X-RateLimit-Reset": "x-ratelimit-reset",
  "Retry-After": "retry-after",
};

/** Where an instance of Fastify says which plugin the `config` of its routes is for: the one that was registered last. */
const INNERMOST = Symbol("throttled");

/**
 * A plugin for Fastify 4 and 5: refuses requests beyond the quota with 429, and tells clients what they have left. Example:
 * `app.register(throttlePlugin, { quota: "100/m" })`, and on a route `config: { throttle: { quota: "5/m" } }`.
 * Registration fails with a TypeError or RangeError naming the option that is wrong.
 */
export const throttlePlugin: FastifyPluginAsync<ThrottleOptions> = async (app, options) => {
  const { hook = "onRequest", global = true, ...rest } = options;
  const common = gateOf(rest);
  const gates = new WeakMap<object, Gate<FastifyRequest>>();
  const gateFor = (server: object, config?: FastifyContextConfig): Gate<FastifyRequest> | undefined => {
    const own = config?.throttle;
    if (own === undefined) return global ? common : undefined;
    if (own === false || (server as Partial<Record<symbol, unknown>>)[INNERMOST] !== gates) return undefined;
    const gate = gates.get(own) ?? gateOf({ ...rest, ...own });
    gates.set(own, gate);
    return gate;
  };
  // Instances inside of this one see it as theirs.
  Object.assign(app, { [INNERMOST]: gates });
  app.addHook("onRoute", function ({ config }) {
    // So that an option that is wrong shows at once.
    gateFor(this, config);
  });
  // A hook of all requests rather than one of each route: it also limits those for no route, and routes from before it.
  app.addHook(hook as "onRequest", async (request: FastifyRequest, reply: FastifyReply) => {
    const verdict = await gateFor(request.server, request.routeOptions.config)?.check(request);
    if (verdict === undefined) return undefined;
    const { headers, refusal } = verdict;
    for (const [name, value] of headers) reply.header(LOWER_CASE[name], value);
    whenAnswered(reply.raw, verdict);
    if (refusal === undefined) return undefined;
    // To the type of a text Fastify would add a charset, which JSON has none of.
    return reply.code(refusal.status).type(refusal.contentType).send(Buffer.from(refusal.body));
  });
};

// Requests outside of the plugin are limited as well, as with fastify-plugin.
Object.assign(throttlePlugin, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "throttled",
});

function gateOf(options: Options<FastifyRequest>): Gate<FastifyRequest> {
  return new Gate<FastifyRequest>(options, ({ raw }) => originOf(raw));
}
