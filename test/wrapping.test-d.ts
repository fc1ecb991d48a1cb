// Compiled by `npm run typecheck` and never run: every line that must not compile says so with @ts-expect-error.
import { expectTypeOf } from "vitest";
import { type MemoryStore, type Store, Throttled, throttled, throttledSync } from "../src/index.js";
import type { RedisStore } from "../src/redis.js";

declare const redis: RedisStore;
declare const memory: MemoryStore;
declare const remote: Store;
const onMemory = new Throttled({ store: memory });
const onRedis = new Throttled({ store: redis });

interface User {
  readonly id: string;
}
declare function load(id: string, size?: number): Promise<User>;
declare function count(text: string): number;

// wrap keeps arguments, makes the answer a promise, and hands both on to key and cost.
expectTypeOf(onRedis.wrap(load)).parameters.toEqualTypeOf<Parameters<typeof load>>();
expectTypeOf(onRedis.wrap(load)).returns.toEqualTypeOf<Promise<User>>();
expectTypeOf(onRedis.wrap(count)).returns.toEqualTypeOf<Promise<number>>();
expectTypeOf(onRedis.wrap(load, { timeout: "1s", refundOnError: true })).returns.toEqualTypeOf<
  Promise<User>
>();
onRedis.wrap(load, {
  key: (id, size) => {
    expectTypeOf(id).toEqualTypeOf<string>();
    expectTypeOf(size).toEqualTypeOf<number | undefined>();
    return id;
  },
  cost: (_id, size = 1) => size,
});
onRedis.wrap(
  async function (this: User) {
    return this.id;
  },
  {
    key() {
      expectTypeOf(this).toEqualTypeOf<User>();
      return this.id;
    },
  },
);
// @ts-expect-error
onRedis.wrap("load");
// @ts-expect-error: a key is text
onRedis.wrap(load, { key: (_id, size) => size });
// @ts-expect-error: a key is there at once
onRedis.wrap(load, { key: async (id) => id });
// @ts-expect-error
onRedis.wrap(load, { keys: "k" });
// @ts-expect-error: arguments that the function does not have
onRedis.wrap(load, { cost: (_id: number) => 1 });
// @ts-expect-error: a call without its argument
void onRedis.wrap(load)();

// wrapSync keeps the whole signature, and never waits.
expectTypeOf(onMemory.wrapSync(count)).parameters.toEqualTypeOf<[text: string]>();
expectTypeOf(onMemory.wrapSync(count)).returns.toEqualTypeOf<number>();
// @ts-expect-error
onMemory.wrapSync(count, { timeout: "1s" });

// Decorated functions keep their type.
expectTypeOf(throttled({ quota: "10/s" })(load)).toEqualTypeOf(load);
expectTypeOf(throttledSync({ quota: "10/s" })(count)).toEqualTypeOf(count);
expectTypeOf(throttled({ store: redis })(load)).toEqualTypeOf(load);
expectTypeOf(throttled(onRedis, { cost: 2 })(load)).toEqualTypeOf(load);
expectTypeOf(throttledSync(onMemory)(count)).toEqualTypeOf(count);
// @ts-expect-error: a function that answers at once has throttledSync
throttled({ quota: "10/s" })(count);
// @ts-expect-error: a store that does not answer at once
throttledSync({ store: redis });
// @ts-expect-error
throttledSync({ store: remote });
// @ts-expect-error
throttledSync(onRedis);
// @ts-expect-error: calls that answer at once never wait
throttledSync({ timeout: "1s" });
// @ts-expect-error
throttledSync(onMemory, { timeout: "1s" });
// @ts-expect-error
throttled({ quotas: "10/s" });
// @ts-expect-error
throttled({ using: "token_bucket" });
// @ts-expect-error
throttled();
// @ts-expect-error: a limiter that is shared has its quota already
throttled(onRedis, { quota: "10/s" });

export class Decorated {
  tenant = "acme";

  @throttled({ quota: "10/s" }) async plain(id: string) {
    return { id };
  }

  @throttled({ key: (id: string) => `user:${id}`, cost: (_id: string, size: number) => size })
  async computed(id: string, _size: number) {
    return id;
  }

  @throttled({
    key(this: Decorated, id: string) {
      return `${this.tenant}:${id}`;
    },
  })
  async ofThis(id: string) {
    return id;
  }

  @throttled(onRedis, { timeout: "1s" }) static async make(): Promise<Decorated> {
    return new Decorated();
  }

  @throttledSync({ quota: "10/s" }) count(text: string) {
    return text.length;
  }

  // @ts-expect-error: a method that answers at once has throttledSync
  @throttled({ quota: "10/s" }) atOnce() {
    return 1;
  }

  // @ts-expect-error: a field is no method
  @throttled({ quota: "10/s" }) field = async () => {};

  // @ts-expect-error: a getter is no method
  @throttled({ quota: "10/s" }) get getter() {
    return Promise.resolve(1);
  }
}

// @ts-expect-error: a class is no method
@throttled({ quota: "10/s" })
export class Wrong {}

expectTypeOf(new Decorated().plain("1")).toEqualTypeOf<Promise<{ id: string }>>();
expectTypeOf(new Decorated().computed).parameters.toEqualTypeOf<[id: string, _size: number]>();
expectTypeOf(new Decorated().count("a")).toEqualTypeOf<number>();
expectTypeOf(Decorated.make()).toEqualTypeOf<Promise<Decorated>>();
