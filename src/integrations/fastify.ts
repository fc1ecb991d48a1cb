import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import { Gate, type ThrottleOptions as Options, type Verdict } from "./gate.js";

/** Options of the plugin, and of a route in `config.throttle`, where they replace those of the plugin. */
export interface ThrottleOptions extends Options<FastifyRequest> {
  /** When requests are asked about, `"onRequest"` by default; later ones know who is logged in, or the body. */
  readonly hook?: "onRequest" | "preParsing" | "preValidation" | "preHandler" | undefined;
  /** Whether routes are limited that do not say so themselves; `true` by default. */
  readonly global?: boolean | undefined;
}

/** What `config` of a route may hold: options for this route alone, or `false` to let it pass. */
export interface ThrottleConfig {
  readonly throttle?: ThrottleOptions | false;
}

/**
 * A plugin for Fastify 4 and 5: refuses requests beyond the quota with 429, and tells clients what they have left. Example:
 * `app.register(throttlePlugin, { quota: "100/m" })`, and on a route `config: { throttle: { quota: "5/m" } }`.
 * Registration fails with a TypeError or RangeError naming the option that is wrong.
 */
export const throttlePlugin: FastifyPluginCallback<ThrottleOptions> = (app, options, done) => {
  const { hook = "onRequest", global = true, ...rest } = options;
  const common = global ? gateOf(rest) : undefined;
  const verdicts = new WeakMap<FastifyRequest, Verdict>();
  app.addHook("onRoute", (route) => {
    const own = (route.config as ThrottleConfig | undefined)?.throttle;
    if (own === false) return;
    const gate = own === undefined ? common : gateOf({ ...rest, ...own });
    if (gate === undefined) return;
    const name = own?.hook ?? hook;
    const check = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      const verdict = await gate.check(request);
      verdicts.set(request, verdict);
      for (const [header, value] of verdict.headers) reply.header(header, value);
      if (verdict.refusal === undefined) return undefined;
      const { status, contentType, body } = verdict.refusal;
      return reply.code(status).header("Content-Type", contentType).send(body);
    };
    route[name] = [check, ...[route[name] ?? []].flat()] as never;
  });
  app.addHook("onResponse", (request, reply, next) => {
    verdicts.get(request)?.onAnswered?.(reply.statusCode);
    next();
  });
  done();
};

// Routes outside of the plugin are limited as well, as with fastify-plugin.
Object.assign(throttlePlugin, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "throttled",
});

function gateOf({ hook, global, ...options }: ThrottleOptions): Gate<FastifyRequest> {
  return new Gate<FastifyRequest>(options, ({ raw }) => ({
    remoteAddress: raw.socket.remoteAddress,
    forwardedFor: raw.headers["x-forwarded-for"]?.toString(),
  }));
}
