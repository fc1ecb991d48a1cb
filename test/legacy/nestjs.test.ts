import { describe, expect, test } from "vitest";
import { SkipThrottle, Throttle, ThrottleGuard, ThrottleModule } from "../../src/integrations/nestjs.js";
import { nestSuite } from "./nestjs-suite.js";

describe("Nest 12", nestSuite);

describe("an option that is wrong", () => {
  test.each([
    ["the module", (options: object) => ThrottleModule.forRoot(options)],
    ["a guard", (options: object) => new ThrottleGuard(options)],
    ["a decorator", (options: object) => Throttle(options)],
  ])("is an error of %s at once", (_, use) => {
    expect(() => use({ quota: "often" })).toThrow('Expected `quota` to be like "10/s"');
    expect(() => use({ limit: 5 })).toThrow('Unknown option "limit" in `options`');
    expect(() => use("5/m" as never)).toThrow('Expected `options` to be an object, got "5/m"');
  });

  test("is one of what makes options later, and of SkipThrottle, as well", () => {
    const later = { useFactory: () => ({}), useClass: ThrottleGuard };
    expect(() => ThrottleModule.forRootAsync(later)).toThrow('Unknown option "useClass" in `options`');
    expect(() => ThrottleModule.forRootAsync({} as never)).toThrow(
      "Expected `useFactory` to be a function, got undefined",
    );
    expect(() => SkipThrottle("yes" as never)).toThrow('Expected `skip` to be a boolean, got "yes"');
  });
});

test("a call that came otherwise than over HTTP is an error, unless it may pass", async () => {
  class Gateway {
    message() {}

    @SkipThrottle() free() {}
  }
  const { message, free } = Gateway.prototype;
  const call = (handler: () => void) =>
    new ThrottleGuard().canActivate({
      getType: () => "rpc",
      getClass: () => Gateway,
      getHandler: () => handler,
    } as never);
  await expect(call(message)).rejects.toThrow(
    'ThrottleGuard limits calls over HTTP, got one of type "rpc": override `getRequestResponse`',
  );
  expect(await call(free)).toBe(true);
});
