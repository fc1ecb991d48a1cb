import type { Context, MiddlewareHandler } from "hono";
import { Gate, type ThrottleOptions as Options } from "./gate.js";

/** Options of `throttle`. */
export type ThrottleOptions = Options<Context>;

/** Where @hono/node-server keeps the request of Node. */
interface NodeBindings {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
}

/**
 * Middleware for Hono: refuses requests beyond the quota with 429, and tells clients what they have left. Away from Node there
 * is no address to go by: give a `key`. Example: `app.use(throttle({ quota: "100/m" }))`.
 * @throws TypeError, RangeError naming the option that is wrong.
 */
export function throttle(options: ThrottleOptions = {}): MiddlewareHandler {
  const gate = new Gate<Context>(options, (context) => ({
    remoteAddress: (context.env as NodeBindings | undefined)?.incoming?.socket?.remoteAddress,
    forwardedFor: context.req.header("x-forwarded-for"),
  }));
  return async (context, next) => {
    const { headers, refusal, onAnswered } = await gate.check(context);
    for (const [name, value] of headers) context.header(name, value);
    if (refusal !== undefined) {
      context.header("Content-Type", refusal.contentType);
      return context.newResponse(refusal.body, refusal.status as 429);
    }
    await next();
    // A response that was not made by the context knows nothing of its headers.
    for (const [name, value] of headers) if (!context.res.headers.has(name)) context.header(name, value);
    onAnswered?.(context.res.status);
  };
}
