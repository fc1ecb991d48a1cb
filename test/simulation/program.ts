import { type Lease, MemoryStore, Semaphore, Throttled } from "../../src/index.js";
import { RedisStore } from "../../src/redis.js";
import type { Plan, ProgramPlan } from "./plan.js";
import { SimulatedClient } from "./simulated-client.js";
import { Machine } from "./virtual-time.js";
import { WatchedStore } from "./watched-store.js";
import type { World } from "./world.js";

/** By the clock of fallbacks it is years earlier than by that of the server, which tells their tokens apart. */
const FALLBACK_EPOCH = 1_500_000_000_000;
const LAST_TOKEN_OF_FALLBACK = 1_600_000_000_000_000;

/** A process with a store of its own on the server that all share, with limiters and a semaphore. */
export class Program {
  readonly plan: ProgramPlan;
  readonly machine: Machine;
  readonly client: SimulatedClient;
  readonly store: WatchedStore;
  readonly fallback: WatchedStore | undefined;
  readonly throttles: readonly Throttled<WatchedStore>[];
  readonly semaphore: Semaphore<WatchedStore>;
  isClosed = false;
  readonly #world: World;

  constructor(world: World, plan: Plan, own: ProgramPlan) {
    this.plan = own;
    this.#world = world;
    const { time, network } = world;
    const { deadlineMs, breaker, batch, onUnavailable } = own;
    this.machine = new Machine(own.name, own.aheadMs);
    this.client = new SimulatedClient(time, network, this.machine, own.canSubscribe);
    if (onUnavailable === "memory") {
      const memory = new MemoryStore({ clock: { now: () => FALLBACK_EPOCH + Math.floor(time.now) } });
      this.fallback = new WatchedStore(world, this.machine, memory, 0);
    }
    const store = new RedisStore(this.client, {
      deadline: deadlineMs,
      onUnavailable: this.fallback ?? (onUnavailable as "throw"),
      breaker: { failures: breaker.failures, retryAfter: breaker.retryAfterMs },
      batch,
      ...(plan.denyCacheMs === undefined ? {} : { denyCache: plan.denyCacheMs }),
    });
    this.store = new WatchedStore(world, this.machine, store, deadlineMs, this.client);
    this.throttles = plan.limiters.map(
      ({ using, quotas }) => new Throttled({ using, quota: quotas, store: this.store }),
    );
    this.semaphore = new Semaphore({ capacity: plan.capacity, store: this.store, lease: plan.leaseMs });
  }

  /** Whether it does nothing any more that others could rely on. */
  get isGone(): boolean {
    return this.isClosed || this.machine.isDead;
  }

  /** Whether nothing went wrong so far that a call could fail of. */
  get isUndisturbed(): boolean {
    return this.#world.network.calmSince === 0;
  }

  get capacity(): number {
    return this.semaphore.capacity;
  }

  /** Whether its fallback gave a lease. */
  isOfFallback(lease: Lease): boolean {
    return lease.token < LAST_TOKEN_OF_FALLBACK;
  }

  get stores(): readonly WatchedStore[] {
    return this.fallback === undefined ? [this.store] : [this.store, this.fallback];
  }
}
