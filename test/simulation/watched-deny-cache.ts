import type { Limiter } from "../../src/algorithms/limiter.js";
import { DenyCache } from "../../src/stores/redis/deny-cache.js";
import { encoded } from "../../src/stores/redis/key-calls.js";
import type { SimulatedClient } from "./simulated-client.js";
import type { World } from "./world.js";

/** A record that refused a call: when it was so by the server, and when that was asked, decided and heard. */
interface Remembered {
  readonly readAt: number;
  readonly sentAt: number;
  readonly decidedAt: number;
  readonly heardAt: number;
}

/** Looks whether deny caches refuse only what the server would, as far as they can know, until the function that it returns is called. */
export function watchDenyCaches(
  world: World,
  clientOf: (machine: string) => SimulatedClient,
  mostMs: number,
  gainedAt: (place: string) => number,
): () => void {
  const { refuse, remember, forget } = DenyCache.prototype;
  const { time, network } = world;
  const caches = new WeakMap<
    DenyCache,
    { known: Map<string, Remembered>; gaveBackAt: Map<string, number> }
  >();
  const of = (cache: DenyCache) => {
    const known = caches.get(cache) ?? { known: new Map(), gaveBackAt: new Map() };
    caches.set(cache, known);
    return known;
  };
  DenyCache.prototype.remember = function (limiter, key, numbers, now, givenBack) {
    const { sentAt, at } = clientOf(time.machine!.name).heard!;
    of(this).known.set(placeOf(limiter, key), { readAt: now, sentAt, decidedAt: at, heardAt: time.now });
    remember.call(this, limiter, key, numbers, now, givenBack);
  };
  DenyCache.prototype.forget = function (limiter, key) {
    of(this).gaveBackAt.set(placeOf(limiter, key), time.now);
    forget.call(this, limiter, key);
  };
  DenyCache.prototype.refuse = function (limiter, key, cost) {
    const decision = refuse.call(this, limiter, key, cost);
    if (decision === undefined) return decision;
    const place = placeOf(limiter, key);
    const say = (problem: string): void =>
      world.fail(`${time.machine!.name} ${place}: the deny cache ${problem}`);
    const { known, gaveBackAt } = of(this);
    const memory = known.get(place);
    if (memory === undefined) {
      say("refuses what was never refused");
      return decision;
    }
    const { readAt, sentAt, decidedAt, heardAt } = memory;
    const now = readAt + Math.floor(time.now - heardAt);
    if (now - readAt >= mostMs) say(`remembers for ${now - readAt} ms`);
    if (sentAt < (gaveBackAt.get(place) ?? Number.NEGATIVE_INFINITY))
      say("forgets that something was given back");
    if (gainedAt(place) < decidedAt && !isRefused(network.server.remains(place), limiter, now, cost)) {
      say("refuses what the server would allow");
    }
    return decision;
  };
  return () => void Object.assign(DenyCache.prototype, { refuse, remember, forget });
}

/** Where the server keeps the record of a key. */
export function placeOf({ id }: Limiter, key: string): string {
  return `throttled:${id}:${encoded(key)}`;
}

function isRefused(found: unknown, limiter: Limiter, now: number, cost: number): boolean {
  const record = Float64Array.from(
    typeof found === "string" ? found.split(" ").map(Number) : Array(limiter.size).fill(0),
  );
  return limiter.decideAt(record, 0, now, cost, 0).limited;
}
