// Compiled by `npm run typecheck` and never run: every line that must not compile says so with @ts-expect-error.
import { expectTypeOf } from "vitest";
import {
  type AcquireOptions,
  type Arrangement,
  type Lease,
  type MemoryStore,
  Semaphore,
  type SemaphoreOccupancy,
  type Store,
  type SyncStore,
} from "../src/index.js";
import type { RedisStore } from "../src/redis.js";

declare const memory: MemoryStore;
declare const redis: RedisStore;
declare const remote: Store;
declare const own: SyncStore;
declare const signal: AbortSignal;

const local = new Semaphore({ capacity: 1 });
const onOwn = new Semaphore({ capacity: 1, store: own });
const onRedis = new Semaphore({ capacity: 1, store: redis });
const onRemote = new Semaphore({ capacity: 1, store: remote });

// A semaphore knows its store, and answers at once only where that does.
expectTypeOf(local).toEqualTypeOf<Semaphore<MemoryStore>>();
expectTypeOf(new Semaphore({ capacity: 1, store: memory })).toEqualTypeOf<Semaphore<MemoryStore>>();
expectTypeOf(onRedis.store).toEqualTypeOf<RedisStore>();
expectTypeOf(local.acquireSync("k")).toEqualTypeOf<Lease>();
expectTypeOf(onOwn.acquireSync("k", 2)).toEqualTypeOf<Lease>();
// @ts-expect-error
onRedis.acquireSync("k");
// @ts-expect-error
onRemote.acquireSync("k");
// @ts-expect-error: one that may be either must not.
(local as Semaphore<MemoryStore | RedisStore>).acquireSync("k");
// @ts-expect-error: calls that answer at once never wait.
local.acquireSync("k", { timeout: "1s" });
expectTypeOf(onRedis).toExtend<Semaphore<Store>>();
expectTypeOf(local).toExtend<Semaphore<SyncStore>>();
expectTypeOf(onRedis).not.toExtend<Semaphore<SyncStore>>();

// Options.
new Semaphore({ key: "k", capacity: 5, lease: "30s", timeout: 0, maxWaiting: 10 });
new Semaphore({ capacity: 5, key: undefined, store: undefined, maxWaiting: undefined });
// @ts-expect-error: a semaphore without a capacity
new Semaphore({});
// @ts-expect-error
new Semaphore();
// @ts-expect-error
new Semaphore({ capacity: "5" });
// @ts-expect-error: an unknown name
new Semaphore({ capacity: 5, leases: "30s" });
// @ts-expect-error: a text that is no duration
new Semaphore({ capacity: 5, lease: "soon" });
// @ts-expect-error
new Semaphore({ capacity: 5, store: {} });

// The capacity may be set, the rest may not.
local.capacity = 6;
// @ts-expect-error
local.capacity = "6";
// @ts-expect-error
local.key = "other";

// Calls.
expectTypeOf(onRedis.acquire("k", { permits: 2, timeout: "1s", signal })).toEqualTypeOf<Promise<Lease>>();
expectTypeOf(onRedis.acquire()).toEqualTypeOf<Promise<Lease>>();
expectTypeOf(onRedis.peek("k")).toEqualTypeOf<Promise<SemaphoreOccupancy>>();
expectTypeOf<SemaphoreOccupancy>().toEqualTypeOf<{
  readonly capacity: number;
  readonly inUse: number;
  readonly waiting: number;
}>();
const fromElsewhere: AcquireOptions = { permits: undefined, timeout: undefined, signal: undefined };
void onRedis.acquire(undefined, fromElsewhere);
// @ts-expect-error
void onRedis.acquire(42);
// @ts-expect-error
void onRedis.acquire("k", 2);
// @ts-expect-error
void onRedis.acquire("k", { cost: 2 });
// @ts-expect-error
void onRedis.acquire("k", { signal: new AbortController() });

// run answers with what its function answers.
expectTypeOf(onRedis.run(() => 42)).toEqualTypeOf<Promise<number>>();
expectTypeOf(onRedis.run("k", async (lease) => lease, { permits: 2 })).toEqualTypeOf<Promise<Lease>>();
// @ts-expect-error
void onRedis.run("k");

// A lease is for `using` and `await using`, its signal for whatever takes one.
declare const lease: Lease;
expectTypeOf(lease).toExtend<Disposable & AsyncDisposable>();
expectTypeOf(lease.signal).toExtend<AbortSignal>();
expectTypeOf(lease.token).toEqualTypeOf<number>();
expectTypeOf(lease.release()).toEqualTypeOf<Promise<void>>();
expectTypeOf(lease.renew()).toEqualTypeOf<Promise<void>>();
// @ts-expect-error
lease.token = 5;

// Decorated functions keep their type.
declare function load(id: string, size?: number): Promise<string>;
declare function count(text: string): number;
expectTypeOf(onRedis.limit()(load)).toEqualTypeOf(load);
expectTypeOf(onRedis.limit({ key: (id: string) => id, permits: 2, timeout: "1s" })(load)).toEqualTypeOf(load);
// @ts-expect-error: a function that answers at once
onRedis.limit()(count);
// @ts-expect-error
onRedis.limit({ capacity: 5 });
// @ts-expect-error: a key is text
onRedis.limit({ key: (id: string) => id.length });

export class Decorated {
  tenant = "acme";

  @onRedis.limit() async plain(id: string) {
    return { id };
  }

  @local.limit({
    key(this: Decorated, id: string) {
      return `${this.tenant}:${id}`;
    },
    permits: (_id: string, size: number) => size,
  })
  async computed(id: string, _size: number) {
    return id;
  }

  // @ts-expect-error: a method that answers at once
  @local.limit() atOnce() {
    return 1;
  }
}
expectTypeOf(new Decorated().plain("1")).toEqualTypeOf<Promise<{ id: string }>>();
expectTypeOf(new Decorated().computed).parameters.toEqualTypeOf<[id: string, _size: number]>();

// A store may leave out semaphores; one that answers at once has those that do.
expectTypeOf<Omit<MemoryStore, "arrange">>().toExtend<SyncStore>();
expectTypeOf(memory.arrange("k", { capacity: 1, maxWaiting: 0 })).toEqualTypeOf<Arrangement>();
