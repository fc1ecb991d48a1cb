import {
  type CanActivate,
  type CustomDecorator,
  type DynamicModule,
  type ExecutionContext,
  type FactoryProvider,
  HttpException,
  Inject,
  Module,
  type ModuleMetadata,
  SetMetadata,
} from "@nestjs/common";
import { complaint, flag, knownOptions } from "../argument.js";
import { Gate, type ThrottleOptions as Options, type Refusal } from "./gate.js";
import { originOf, whenAnswered } from "./node.js";

/** What requests of Express and of Fastify have in common; a function of the options may say that it takes another. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly ip?: string | undefined;
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
}

/** A response of Node, as that of Express is. */
interface NodeResponse {
  readonly statusCode: number;
  setHeader(name: string, value: string): unknown;
  once(event: "finish", listener: () => void): unknown;
}

/** A response of Express, or a reply of Fastify. */
export type HttpResponse =
  | NodeResponse
  | { readonly raw: NodeResponse; header(name: string, value: string): unknown };

/** Options of the module, of the guard, and of `@Throttle`. */
export type ThrottleOptions<R extends object = HttpRequest> = Options<R>;

/** Where `forRootAsync` gets the options from. */
export interface ThrottleAsyncOptions<R extends object = HttpRequest>
  extends Pick<ModuleMetadata, "imports">,
    Pick<FactoryProvider<ThrottleOptions<R>>, "inject" | "useFactory"> {}

const OPTIONS = "throttled:options";
const SKIP = "throttled:skip";

/**
 * A guard for Nest 11 and 12, on Express or Fastify: refuses requests beyond the quota with an `HttpException` of status 429,
 * and tells clients what they have left. `ThrottleModule` has its options; without the module: `new ThrottleGuard(options)`.
 * @throws TypeError, RangeError naming the option that is wrong.
 */
export class ThrottleGuard<R extends object = HttpRequest> implements CanActivate {
  static {
    // As a decorator of the parameter would.
    Inject(OPTIONS)(ThrottleGuard, undefined, 0);
  }

  readonly #common: OptionSet<R>;

  constructor(options: ThrottleOptions<R> = {}) {
    this.#common = new OptionSet(options);
    // So that an option that is wrong shows when the application starts.
    this.#common.gate();
  }

  /** Whether the request may pass: `true`, or an `HttpException`. Rejects with what a function of the options throws. */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const options = this.#optionsFor(context);
    if (options === undefined) return true;
    const { req, res } = this.getRequestResponse(context);
    const verdict = await options.gate().check(req);
    for (const [name, value] of verdict.headers) setHeader(res, name, value);
    whenAnswered("raw" in res ? res.raw : res, verdict);
    if (verdict.refusal !== undefined) throw exceptionOf(verdict.refusal);
    return true;
  }

  /**
   * The request and the response of a call over HTTP. Override it where Nest does not say so, e.g. for GraphQL:
   * `const { req, res } = GqlExecutionContext.create(context).getContext(); return { req, res };`
   * @throws TypeError for calls that came otherwise.
   */
  protected getRequestResponse(context: ExecutionContext): { req: R; res: HttpResponse } {
    const type: string = context.getType();
    if (type !== "http") {
      throw new TypeError(
        `ThrottleGuard limits calls over HTTP, got one of type "${type}": override \`getRequestResponse\`, or let it pass by \`@SkipThrottle()\``,
      );
    }
    const http = context.switchToHttp();
    return { req: http.getRequest<R>(), res: http.getResponse<HttpResponse>() };
  }

  /** Those of the module, with what the class replaces of them, and then the handler; the nearest decides about skipping. */
  #optionsFor(context: ExecutionContext): OptionSet<R> | undefined {
    let options = this.#common;
    let skipped = false;
    for (const target of [context.getClass(), context.getHandler()]) {
      const own = metadata<ThrottleOptions<R>>(OPTIONS, target);
      if (own !== undefined) [options, skipped] = [options.with(own), false];
      skipped = metadata<boolean>(SKIP, target) ?? skipped;
    }
    return skipped ? undefined : options;
  }
}

/**
 * Provides `ThrottleGuard` everywhere; it limits where it is used: `{ provide: APP_GUARD, useExisting: ThrottleGuard }` for
 * all routes, or `@UseGuards(ThrottleGuard)`.
 */
// biome-ignore lint/complexity/noStaticOnlyClass: modules of Nest are classes.
export class ThrottleModule {
  static {
    Module({})(ThrottleModule);
  }

  /** Example: `ThrottleModule.forRoot({ quota: "100/m" })`. @throws TypeError, RangeError naming the option that is wrong. */
  static forRoot<R extends object = HttpRequest>(options: ThrottleOptions<R> = {}): DynamicModule {
    new OptionSet(options).gate();
    return moduleWith({ provide: OPTIONS, useValue: options });
  }

  /** The same with options that are made when the application starts, e.g. of a `ConfigService`. */
  static forRootAsync<R extends object = HttpRequest>(options: ThrottleAsyncOptions<R>): DynamicModule {
    knownOptions("options", options, ["imports", "inject", "useFactory"]);
    const { imports = [], inject = [], useFactory } = options;
    if (typeof useFactory !== "function")
      throw new TypeError(complaint("useFactory", "a function", useFactory));
    return { ...moduleWith({ provide: OPTIONS, inject, useFactory }), imports };
  }
}

/**
 * Replaces options of the module for the routes of a class, or for a handler, e.g. `@Throttle({ quota: "5/m", prefix: "login" })`.
 * @throws TypeError, RangeError naming the option that is wrong.
 */
export function Throttle<R extends object = HttpRequest>(
  options: ThrottleOptions<R>,
): CustomDecorator<string> {
  new OptionSet(options).gate();
  return SetMetadata(OPTIONS, options);
}

/** Lets requests to a class or to a handler pass without asking; with `false` a handler of such a class is limited all the same. */
export function SkipThrottle(skip = true): CustomDecorator<string> {
  return SetMetadata(SKIP, flag("skip", skip));
}

/** Options with the gate that they make, and those that come of them where some are replaced. */
class OptionSet<R extends object> {
  readonly #options: ThrottleOptions<R>;
  readonly #replaced = new WeakMap<object, OptionSet<R>>();
  #gate: Gate<R> | undefined;

  constructor(options: ThrottleOptions<R>) {
    this.#options = options;
  }

  /** @throws TypeError, RangeError naming the option that is wrong. */
  gate(): Gate<R> {
    this.#gate ??= new Gate<R>(this.#options, (request) => originOf(request as HttpRequest));
    return this.#gate;
  }

  with(own: ThrottleOptions<R>): OptionSet<R> {
    const options = this.#replaced.get(own) ?? new OptionSet<R>({ ...this.#options, ...own });
    this.#replaced.set(own, options);
    return options;
  }
}

function moduleWith(options: NonNullable<DynamicModule["providers"]>[number]): DynamicModule {
  return {
    module: ThrottleModule,
    global: true,
    providers: [options, ThrottleGuard],
    exports: [OPTIONS, ThrottleGuard],
  };
}

function metadata<T>(key: string, target: object): T | undefined {
  // By reflect-metadata, which Nest loads.
  const { getMetadata } = Reflect as unknown as { getMetadata(key: string, target: object): unknown };
  return getMetadata(key, target) as T | undefined;
}

function setHeader(res: HttpResponse, name: string, value: string): void {
  if ("raw" in res) res.header(name, value);
  else res.setHeader(name, value);
}

/** What filters of Nest make an answer of: by default the body as JSON, and of a text `{ statusCode, message }`. */
function exceptionOf({ status, contentType, body }: Refusal): HttpException {
  return new HttpException(contentType.startsWith("text/") ? body : JSON.parse(body), status);
}
