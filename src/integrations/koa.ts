import type { Context, Middleware } from "koa";
import { Gate, type ThrottleOptions as Options } from "./gate.js";
import { originOf, whenAnswered } from "./node.js";

/** Options of `throttle`. */
export type ThrottleOptions = Options<Context>;

/**
 * Middleware for Koa 2 and 3: refuses requests beyond the quota with 429, and tells clients what they have left. Example:
 * `app.use(throttle({ quota: "100/m" }))`.
 * @throws TypeError, RangeError naming the option that is wrong.
 */
export function throttle(options: ThrottleOptions = {}): Middleware {
  const gate = new Gate<Context>(options, (context) => originOf(context.req));
  return async (context, next) => {
    const verdict = await gate.check(context);
    const { headers, refusal } = verdict;
    for (const [name, value] of headers) context.set(name, value);
    whenAnswered(context.res, verdict);
    if (refusal === undefined) return next();
    context.status = refusal.status;
    context.type = refusal.contentType;
    context.body = refusal.body;
  };
}
