import type { Context, MiddlewareHandler } from "hono";
import { Gate, type ThrottleOptions } from "./gate.js";

export type { ThrottleOptions } from "./gate.js";

/** Where @hono/node-server keeps the request of Node. */
interface NodeBindings {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
}

/**
 * Middleware for Hono: refuses requests beyond the quota with 429, and tells clients what they have left. Away from Node there
 * is no address to go by: give a `key`. Example: `app.use(throttle({ quota: "100/m" }))`.
 * @throws TypeError, RangeError naming the option that is wrong.
 */
export function throttle(options: ThrottleOptions<Context> = {}): MiddlewareHandler {
  const gate = new Gate<Context>(options, (context) => ({
    remoteAddress: (context.env as NodeBindings | undefined)?.incoming?.socket?.remoteAddress,
    forwardedFor: context.req.header("x-forwarded-for"),
  }));
  return async (context, next) => {
    const { headers, refusal, onAnswered } = await gate.check(context);
    if (refusal !== undefined) {
      const { status, contentType, body } = refusal;
      return new Response(body, { status, headers: [...toPairs(headers), ["Content-Type", contentType]] });
    }
    await next();
    for (const [name, value] of headers) {
      // Limiters further in have told of this one as well.
      if (!context.res.headers.has(name)) context.header(name, value);
    }
    onAnswered?.(context.res.status);
  };
}

function toPairs(headers: readonly (readonly [string, string])[]): [string, string][] {
  return headers.map(([name, value]) => [name, value]);
}
