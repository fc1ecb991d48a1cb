import type { Request, RequestHandler } from "express";
import { Gate, type ThrottleOptions } from "./gate.js";

export type { ThrottleOptions } from "./gate.js";

/**
 * Middleware for Express 4 and 5: refuses requests beyond the quota with 429, and tells clients what they have left. Example:
 * `app.use(throttle({ quota: "100/m" }))`.
 * @throws TypeError, RangeError naming the option that is wrong.
 */
export function throttle(options: ThrottleOptions<Request> = {}): RequestHandler {
  const gate = new Gate<Request>(options, (request) => ({
    remoteAddress: request.socket.remoteAddress,
    forwardedFor: request.headers["x-forwarded-for"]?.toString(),
  }));
  return async (request, response, next) => {
    let verdict: Awaited<ReturnType<typeof gate.check>>;
    try {
      verdict = await gate.check(request);
    } catch (error) {
      next(error);
      return;
    }
    const { headers, refusal, onAnswered } = verdict;
    for (const [name, value] of headers) response.setHeader(name, value);
    if (onAnswered) response.once("finish", () => onAnswered(response.statusCode));
    if (refusal === undefined) next();
    else response.status(refusal.status).setHeader("Content-Type", refusal.contentType).end(refusal.body);
  };
}
