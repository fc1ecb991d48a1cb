// Compiled by `npm run typecheck` and never run: every line that must not compile says so with @ts-expect-error.
import { expectTypeOf } from "vitest";
import {
  type Algorithm,
  type AlgorithmName,
  type CallOptions,
  type Decision,
  isLimitedError,
  isStoreError,
  type LimitedError,
  type Limiter,
  type MemoryStore,
  type Numbers,
  type Permit,
  perSecond,
  type RateLimitResult,
  type RateLimitState,
  type Store,
  type StoreError,
  type SyncStore,
  Throttled,
  TokenBucket,
} from "../src/index.js";
import type { RedisStore } from "../src/redis.js";

declare const memory: MemoryStore;
declare const redis: RedisStore;
declare const remote: Store;
declare const own: SyncStore;
declare const signal: AbortSignal;
declare const limiter: Limiter;

const local = new Throttled();
const onMemory = new Throttled({ store: memory });
const onOwn = new Throttled({ store: own });
const onRedis = new Throttled({ store: redis });
const onRemote = new Throttled({ store: remote });

// A limiter knows its store, and answers at once only where that does.
expectTypeOf(local).toEqualTypeOf<Throttled<MemoryStore>>();
expectTypeOf(onRedis.store).toEqualTypeOf<RedisStore>();
expectTypeOf(local.limitSync("k")).toEqualTypeOf<RateLimitResult>();
expectTypeOf(onMemory.peekSync("k")).toEqualTypeOf<RateLimitState>();
expectTypeOf(onOwn.acquireSync("k", 2)).toEqualTypeOf<Permit>();
expectTypeOf(onOwn.wrapSync((n: number) => `${n}`)).toEqualTypeOf<(this: unknown, n: number) => string>();
// @ts-expect-error
onRedis.limitSync("k");
// @ts-expect-error
onRedis.peekSync("k");
// @ts-expect-error
onRedis.acquireSync("k");
// @ts-expect-error
onRedis.wrapSync(() => 1);
// @ts-expect-error
onRemote.limitSync("k");
// @ts-expect-error
onRemote.peekSync("k");
// @ts-expect-error
onRemote.acquireSync("k");
// @ts-expect-error
onRemote.wrapSync(() => 1);
// @ts-expect-error: one that may be either must not.
(onMemory as Throttled<MemoryStore | RedisStore>).limitSync("k");
// @ts-expect-error: calls that answer at once never wait.
local.limitSync("k", { timeout: "1s" });
// A limiter on any store takes one on a certain store.
expectTypeOf(onRedis).toExtend<Throttled<Store>>();
expectTypeOf(onMemory).toExtend<Throttled<Store>>();
expectTypeOf(onMemory).toExtend<Throttled<SyncStore>>();
expectTypeOf(onRedis).not.toExtend<Throttled<SyncStore>>();

// Options of a limiter.
new Throttled({ key: "k", using: "gcra", quota: "10/s; 1000/h", cost: 2, timeout: "1.5s" });
new Throttled({
  using: TokenBucket,
  quota: [perSecond(10), { limit: 5, period: 250, burst: 7 }, "1/m"],
  timeout: 5,
});
expectTypeOf<AlgorithmName>().toEqualTypeOf<
  "fixed-window" | "sliding-window" | "token-bucket" | "leaky-bucket" | "gcra"
>();
// @ts-expect-error: an unknown name
new Throttled({ quotas: "10/s" });
// @ts-expect-error: an unknown algorithm
new Throttled({ using: "token_bucket" });
// @ts-expect-error: an instance instead of a class
new Throttled({ using: new TokenBucket(perSecond(1)) });
// What is undefined is not given, as with an environment variable that may be missing.
new Throttled({ key: undefined, store: undefined });
// @ts-expect-error
new Throttled({ store: {} });
// @ts-expect-error
new Throttled({ cost: "1" });
// @ts-expect-error: a text that is no duration
new Throttled({ timeout: "soon" });
// @ts-expect-error: an unknown part of a quota
new Throttled({ quota: { limit: 1, period: "1s", bursts: 2 } });
// @ts-expect-error: a quota without a period
new Throttled({ quota: { limit: 1 } });
// @ts-expect-error
perSecond(1, { brust: 2 });

// An algorithm of one's own may extend one that is there, under its own name.
class Own extends TokenBucket {
  static override readonly algorithmName = "own-bucket";
}
new Throttled({ using: Own });

// An algorithm of one's own works in place, and may leave out how a booking is taken back.
expectTypeOf<Numbers>().toEqualTypeOf<Float64Array>();
expectTypeOf<Parameters<Algorithm["charge"]>>().toEqualTypeOf<
  [numbers: Numbers, i: number, from: number, now: number, cost: number]
>();
expectTypeOf<Omit<TokenBucket, "unbook">>().toExtend<Algorithm>();
expectTypeOf<Omit<TokenBucket, "size">>().not.toExtend<Algorithm>();

// A store may decide about several keys at once.
expectTypeOf<Omit<MemoryStore, "decideMany">>().toExtend<SyncStore>();
expectTypeOf(memory.decideMany(limiter, ["a", "b"], [1, 2])).toEqualTypeOf<Decision[]>();

// Calls.
expectTypeOf(onRedis.limit("k", 2)).toEqualTypeOf<Promise<RateLimitResult>>();
expectTypeOf(onRedis.limit("k", { cost: 2, timeout: "1s", signal })).toEqualTypeOf<
  Promise<RateLimitResult>
>();
expectTypeOf(onRedis.peek()).toEqualTypeOf<Promise<RateLimitState>>();
expectTypeOf(onRedis.acquire("k", { timeout: 5 })).toEqualTypeOf<Promise<Permit>>();
expectTypeOf(onRedis.refund("k", 2)).toEqualTypeOf<Promise<void>>();
expectTypeOf(onRedis.reset("k")).toEqualTypeOf<Promise<void>>();
expectTypeOf(onRedis.limitMany(["a", { key: "b", cost: 2 }, {}])).toEqualTypeOf<Promise<RateLimitResult[]>>();
expectTypeOf<RateLimitResult["source"]>().toEqualTypeOf<"store" | "fallback" | "policy">();
const fromElsewhere: CallOptions = { signal: undefined, cost: undefined };
void onRedis.limit(undefined, fromElsewhere);
// @ts-expect-error
void onRedis.limit(42);
// @ts-expect-error
void onRedis.limit("k", "2");
// @ts-expect-error
void onRedis.limit("k", { timeuot: 5 });
// @ts-expect-error
void onRedis.limit("k", { signal: new AbortController() });
// @ts-expect-error: results can't be changed
(await onRedis.limit("k")).remaining = 5;
// @ts-expect-error
void onRedis.limitMany("k");
// @ts-expect-error
void onRedis.limitMany([{ key: "k", timeout: 5 }]);

// run answers with what its function answers.
expectTypeOf(onRedis.run(() => 42)).toEqualTypeOf<Promise<number>>();
expectTypeOf(onRedis.run("k", async () => "a")).toEqualTypeOf<Promise<string>>();
expectTypeOf(onRedis.run("k", async (permit) => permit, { refundOnError: true })).toEqualTypeOf<
  Promise<Permit>
>();
// @ts-expect-error
void onRedis.run("k");
// @ts-expect-error
void onRedis.run(() => 42, { key: "k" });

// The guards narrow.
declare const error: unknown;
if (isLimitedError(error)) expectTypeOf(error).toEqualTypeOf<LimitedError>();
if (isStoreError(error)) expectTypeOf(error).toEqualTypeOf<StoreError>();
