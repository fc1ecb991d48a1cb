import type { Request, RequestHandler } from "express";
import { Gate, type ThrottleOptions as Options, type Verdict } from "./gate.js";
import { originOf, whenAnswered } from "./node.js";

/** Options of `throttle`. */
export type ThrottleOptions = Options<Request>;

/**
 * Middleware for Express 4 and 5: refuses requests beyond the quota with 429, and tells clients what they have left. Example:
 * `app.use(throttle({ quota: "100/m" }))`.
 * @throws TypeError, RangeError naming the option that is wrong.
 */
export function throttle(options: ThrottleOptions = {}): RequestHandler {
  const gate = new Gate<Request>(options, originOf);
  return async (request, response, next) => {
    let verdict: Verdict;
    try {
      verdict = await gate.check(request);
      for (const [name, value] of verdict.headers) response.setHeader(name, value);
    } catch (error) {
      // Express 4 would not hear of a rejection; to set a header is an error when somebody answered in the meantime.
      next(error);
      return;
    }
    whenAnswered(response, verdict);
    const { refusal } = verdict;
    if (refusal === undefined) next();
    else response.status(refusal.status).setHeader("Content-Type", refusal.contentType).end(refusal.body);
  };
}
