import type { Context, Middleware } from "koa";
import { Gate, type ThrottleOptions } from "./gate.js";

export type { ThrottleOptions } from "./gate.js";

/**
 * Middleware for Koa 2 and 3: refuses requests beyond the quota with 429, and tells clients what they have left. Example:
 * `app.use(throttle({ quota: "100/m" }))`.
 * @throws TypeError, RangeError naming the option that is wrong.
 */
export function throttle(options: ThrottleOptions<Context> = {}): Middleware {
  const gate = new Gate<Context>(options, (context) => ({
    remoteAddress: context.req.socket.remoteAddress,
    forwardedFor: context.req.headers["x-forwarded-for"]?.toString(),
  }));
  return async (context, next) => {
    const { headers, refusal, onAnswered } = await gate.check(context);
    for (const [name, value] of headers) context.res.setHeader(name, value);
    // Not what the context says now: an error further in is answered after this middleware.
    if (onAnswered) context.res.once("finish", () => onAnswered(context.res.statusCode));
    if (refusal === undefined) return next();
    context.status = refusal.status;
    context.type = refusal.contentType;
    context.body = refusal.body;
  };
}
