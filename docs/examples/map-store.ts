// A store of your own that answers at once: the whole of it.
import {
  type Arrangement,
  type Booking,
  type Clock,
  type Decision,
  type KeyState,
  type Limiter,
  type SemaphoreRequest,
  type SemaphoreRules,
  SemaphoreState,
  type SyncStore,
} from "throttled";

/** Keeps keys in a `Map`, without a bound. */
export class MapStore implements SyncStore {
  readonly name = "map";
  readonly sync = true;
  readonly clock: Clock;
  readonly #entries = new Map<string, { record: KeyState; expiresAt: number }>();
  readonly #semaphores = new Map<string, SemaphoreState>();

  constructor(clock: Clock = { now: () => Date.now() }) {
    this.clock = clock;
  }

  decide(limiter: Limiter, key: string, cost: number, maxWaitMs: number, booking?: Booking): Decision {
    const id = `${limiter.id}:${key}`;
    const now = this.clock.now();
    const { decision, write } = limiter.decide(this.#entries.get(id)?.record, now, cost, maxWaitMs, booking);
    if (write?.ttlMs === 0) this.#entries.delete(id);
    else if (write) this.#entries.set(id, { record: write.record, expiresAt: now + write.ttlMs });
    return decision;
  }

  arrange(key: string, rules: SemaphoreRules, request?: SemaphoreRequest): Arrangement {
    const semaphore = this.#semaphores.get(key) ?? new SemaphoreState();
    this.#semaphores.set(key, semaphore);
    return semaphore.arrange(this.clock.now(), rules, request);
  }

  reset(limiter: Limiter, key: string): void {
    this.#entries.delete(`${limiter.id}:${key}`);
  }

  /** Drops what says no more than nothing; when it is called changes no answer. */
  sweep(): void {
    const now = this.clock.now();
    for (const [id, { expiresAt }] of this.#entries) if (expiresAt <= now) this.#entries.delete(id);
  }
}
