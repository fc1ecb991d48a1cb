// Compiled by `npm run typecheck` with legacy decorators and never run.
import { expectTypeOf } from "vitest";
import { Throttled, throttled, throttledSync } from "../../src/index.js";

const shared = new Throttled({ quota: "10/s" });

export class Decorated {
  @throttled({ key: (id: string) => `user:${id}` }) async get(id: string) {
    return { id };
  }

  @throttled(shared, { timeout: "1s" }) static async make(): Promise<Decorated> {
    return new Decorated();
  }

  @throttledSync(shared) count(text: string) {
    return text.length;
  }

  // @ts-expect-error: a method that answers at once has throttledSync
  @throttled({ quota: "10/s" }) atOnce() {
    return 1;
  }
}

expectTypeOf(new Decorated().get("1")).toEqualTypeOf<Promise<{ id: string }>>();
expectTypeOf(new Decorated().count("a")).toEqualTypeOf<number>();
expectTypeOf(Decorated.make()).toEqualTypeOf<Promise<Decorated>>();
