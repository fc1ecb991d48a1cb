import { EventEmitter, once } from "node:events";
import type { Socket } from "node:net";
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpException,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  Req,
  UseFilters,
  UseGuards,
} from "@nestjs/common";
import { APP_FILTER, APP_GUARD } from "@nestjs/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryStore } from "../../src/index.js";
import {
  type HttpRequest,
  SkipThrottle,
  Throttle,
  ThrottleGuard,
  ThrottleModule,
  type ThrottleOptions,
} from "../../src/integrations/nestjs.js";
import { ManualClock } from "../../src/testing.js";
import type { Running } from "../integrations/web-suite.js";

/** A guard of the whole application. */
export const GLOBAL = { provide: APP_GUARD, useExisting: ThrottleGuard };

@Controller("plain")
class Plain {
  @Get() plain() {}

  @Throttle({ quota: "5/h" }) @Get("own") own() {}

  @SkipThrottle() @Get("free") free() {}
}

/** What two requests are told to a route without options of its own. */
const PLAIN_TWICE = ['200 "2-in-3600s";r=1;t=1800', '200 "2-in-3600s";r=0;t=3600'];

/** Which routes the guard limits and by which options, and what else in an application has to do with it. */
export function routesSuite(listen: (metadata: ModuleMetadata) => Promise<Running>): void {
  let options: ThrottleOptions;
  let server: Running | undefined;

  beforeEach(() => {
    server = undefined;
    options = { quota: "2/h", store: new MemoryStore({ clock: new ManualClock() }) };
  });
  afterEach(() => server?.close());

  async function serve(metadata: ModuleMetadata): Promise<void> {
    server = await listen(metadata);
  }

  const ask = async (path: string, count = 1): Promise<string[]> => {
    const all: string[] = [];
    for (let i = 0; i < count; i++) {
      const { status, headers } = await server!.fetch(path);
      all.push(`${status} ${headers.get("ratelimit") ?? "-"}`);
    }
    return all;
  };

  test("a guard for the whole application limits all routes that don't say otherwise", async () => {
    await serve({ imports: [ThrottleModule.forRoot(options)], controllers: [Plain], providers: [GLOBAL] });
    expect(await ask("/plain/own")).toEqual(['200 "5-in-3600s";r=4;t=720']);
    expect(await ask("/plain/free", 3)).toEqual(["200 -", "200 -", "200 -"]);
    expect(await ask("/plain", 3)).toEqual([...PLAIN_TWICE, '429 "2-in-3600s";r=0;t=1800']);
  });

  test("it may as well be a guard of its own class", async () => {
    const providers = [{ provide: APP_GUARD, useClass: ThrottleGuard }];
    await serve({ imports: [ThrottleModule.forRoot(options)], controllers: [Plain], providers });
    expect(await ask("/plain", 2)).toEqual(PLAIN_TWICE);
  });

  test("without a guard nothing is limited", async () => {
    await serve({ imports: [ThrottleModule.forRoot(options)], controllers: [Plain] });
    expect(await ask("/plain/own", 6)).toEqual(Array.from({ length: 6 }, () => "200 -"));
  });

  test("a guard limits the routes that use it, in modules that don't import its module as well", async () => {
    @Controller("some")
    class Some {
      @UseGuards(ThrottleGuard) @Get() limited() {}

      @Get("other") other() {}
    }
    @UseGuards(ThrottleGuard)
    @Controller("all")
    class All {
      @Get() limited() {}
    }
    @Module({ controllers: [Some, All] })
    class Feature {}
    await serve({ imports: [Feature, ThrottleModule.forRoot(options)] });
    expect(await ask("/some")).toEqual(PLAIN_TWICE.slice(0, 1));
    expect(await ask("/some/other")).toEqual(["200 -"]);
    expect(await ask("/all")).toEqual(PLAIN_TWICE.slice(1));
  });

  test("a guard does without the module if it is given its options", async () => {
    @Controller("own")
    class Own {
      @UseGuards(new ThrottleGuard(options)) @Get() limited() {}
    }
    await serve({ controllers: [Own] });
    expect(await ask("/own", 2)).toEqual(PLAIN_TWICE);
  });

  describe("decorators", () => {
    @Throttle({ quota: "9/h", cost: 3 })
    @Controller("some")
    class Some {
      @Get() some() {}

      @Throttle({ quota: "8/h" }) @Get("own") own() {}

      @Throttle({ cost: 1, prefix: "cheap" }) @Get("cheap") cheap() {}
    }

    @Controller("heir")
    class Heir extends Some {
      @Get("none") @SkipThrottle() none() {}
    }

    @SkipThrottle()
    @Controller("free")
    class Free {
      @Get() free() {}

      @SkipThrottle(false) @Get("limited") limited() {}

      @Throttle({ quota: "7/h" }) @Get("own") own() {}

      @Throttle({ quota: "7/h" }) @SkipThrottle() @Get("both") both() {}
    }

    beforeEach(async () => {
      const controllers = [Some, Heir, Free];
      await serve({ imports: [ThrottleModule.forRoot(options)], controllers, providers: [GLOBAL] });
    });

    test("replace options: those of a handler, of its class, of the module", async () => {
      expect(await ask("/some")).toEqual(['200 "9-in-3600s";r=6;t=1200']);
      expect(await ask("/some/own")).toEqual(['200 "8-in-3600s";r=5;t=1350']);
      expect(await ask("/some/cheap")).toEqual(['200 "9-in-3600s";r=8;t=400']);
    });

    test("of a class hold for those that extend it", async () => {
      expect(await ask("/heir")).toEqual(['200 "9-in-3600s";r=6;t=1200']);
      expect(await ask("/heir/none")).toEqual(["200 -"]);
    });

    test("let requests pass, and the nearest decides", async () => {
      expect(await ask("/free")).toEqual(["200 -"]);
      expect(await ask("/free/limited")).toEqual(PLAIN_TWICE.slice(0, 1));
      expect(await ask("/free/own")).toEqual(['200 "7-in-3600s";r=6;t=515']);
      expect(await ask("/free/both")).toEqual(["200 -"]);
    });
  });

  test("options may be made when the application starts, of what is injected", async () => {
    @Module({ providers: [{ provide: "QUOTA", useValue: "2/h" }], exports: ["QUOTA"] })
    class Config {}
    const later = ThrottleModule.forRootAsync({
      imports: [Config],
      inject: ["QUOTA"],
      useFactory: async (quota: string) => ({ ...options, quota }),
    });
    await serve({ imports: [later], controllers: [Plain], providers: [GLOBAL] });
    expect(await ask("/plain", 2)).toEqual(PLAIN_TWICE);
  });

  test("options that are made so, and are wrong, keep the application from starting", async () => {
    const wrong = ThrottleModule.forRootAsync({ useFactory: () => ({ quota: "often" }) });
    await expect(listen({ imports: [wrong] })).rejects.toThrow('Expected `quota` to be like "10/s"');
  });

  test("options that are wrong together are an error of the route", async () => {
    @Controller("wrong")
    class Wrong {
      @Throttle({ quota: "5/h burst 9" }) @Get() wrong() {}
    }
    const windows = ThrottleModule.forRoot({ ...options, using: "fixed-window" });
    await serve({ imports: [windows], controllers: [Wrong], providers: [GLOBAL] });
    expect(await ask("/wrong")).toEqual(["500 -"]);
  });

  describe("filters of exceptions", () => {
    let seen: unknown[];

    @Catch()
    class Filter implements ExceptionFilter {
      catch(exception: unknown, host: ArgumentsHost) {
        seen.push(exception);
        const known = exception instanceof HttpException ? exception : new HttpException("Unknown", 500);
        const response = host.switchToHttp().getResponse().status(known.getStatus());
        response.type("application/problem+json").send(JSON.stringify(known.getResponse()));
      }
    }
    const global = [GLOBAL, { provide: APP_FILTER, useClass: Filter }];

    @UseFilters(Filter)
    @Controller("plain")
    class Filtered {
      @Get() plain() {}
    }

    beforeEach(() => {
      seen = [];
    });

    test.each([
      ["the application", [Plain], global],
      ["a controller", [Filtered], [GLOBAL]],
    ])("of %s see refusals, and make the answer", async (_, controllers, providers) => {
      await serve({ imports: [ThrottleModule.forRoot(options)], controllers, providers });
      expect(await ask("/plain", 2)).toEqual(PLAIN_TWICE);
      const refused = await server!.fetch("/plain");
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1800"]);
      expect(refused.headers.get("content-type")).toMatch(/^application\/problem\+json\b/);
      expect(await refused.json()).toMatchObject({ title: "Quota exceeded" });
      expect(seen).toHaveLength(1);
      expect((seen[0] as HttpException).getResponse()).toMatchObject({
        title: "Quota exceeded",
        status: 429,
      });
    });

    test("see a text as the message, and what the options throw as it is", async () => {
      const error = new Error("Who is that?");
      const key = ({ url }: HttpRequest) => {
        if (url === "/plain/own") throw error;
        return "somebody";
      };
      const module = ThrottleModule.forRoot({ ...options, key, cost: 3, message: "Slow down" });
      await serve({ imports: [module], controllers: [Plain], providers: global });
      await ask("/plain");
      await ask("/plain/own");
      expect(seen).toEqual([expect.objectContaining({ message: "Slow down" }), error]);
      expect((seen[0] as HttpException).getResponse()).toBe("Slow down");
    });
  });

  test("a guard that extends it keeps its options, and may say where requests are", async () => {
    @Injectable()
    class Remote extends ThrottleGuard {
      @Inject("NAMES") readonly names!: string[];

      protected override getRequestResponse(context: ExecutionContext) {
        this.names.push(context.getHandler().name);
        return super.getRequestResponse(context);
      }
    }
    const names: string[] = [];
    const providers = [
      { provide: APP_GUARD, useClass: Remote },
      { provide: "NAMES", useValue: names },
    ];
    await serve({ imports: [ThrottleModule.forRoot(options)], controllers: [Plain], providers });
    expect(await ask("/plain", 2)).toEqual(PLAIN_TWICE);
    expect(await ask("/plain/free")).toEqual(["200 -"]);
    expect(names).toEqual(["plain", "plain"]);
  });

  test("an answer that its client did not wait for gives nothing back", async () => {
    const events = new EventEmitter();
    @Controller("slow")
    class Slow {
      @Get() async slow(@Req() { socket }: { socket: Socket }) {
        events.emit("asked");
        await once(socket, "close");
        setImmediate(() => events.emit("answered"));
        return "too late";
      }
    }
    const module = ThrottleModule.forRoot({ ...options, refundOn: () => true });
    await serve({ imports: [module], controllers: [Slow, Plain], providers: [GLOBAL] });
    const [asked, answered] = [once(events, "asked"), once(events, "answered")];
    const controller = new AbortController();
    const aborted = server!.fetch("/slow", { signal: controller.signal });
    await asked;
    controller.abort();
    await expect(aborted).rejects.toThrow();
    await answered;
    expect(await ask("/plain")).toEqual(['200 "2-in-3600s";r=0;t=3600']);
  });
}
