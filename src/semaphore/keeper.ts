import { type AbortSignalLike, onAbort } from "../abort.js";
import { LimitedError, ThrottledError } from "../errors.js";
import type { RateLimitResult } from "../result.js";
import { sleepUntil, type Timer, timerOf, WOKEN } from "../sleep.js";
import type { Arrangement, Store } from "../stores/store.js";
import { KeptLease, type Lease, type LeaseKeeper } from "./lease.js";
import type { SemaphoreRequest, SemaphoreRules, Standing } from "./state.js";

/** A store that has semaphores. */
export type SemaphoreStore = Store & Required<Pick<Store, "arrange">>;

/** Somebody of this process who asks for permits, then perhaps waits, then holds them. */
interface Claim {
  readonly id: string;
  readonly key: string;
  readonly permits: number;
  /** Whether it stands in line if there is no room. */
  readonly waits: boolean;
  /** Who decides. */
  store: SemaphoreStore;
  /** When it was asked last among what it answered, by the clock of the keeper. */
  heardAt: number;
  /** Questions that are not answered yet. */
  asked: number;
  lease?: KeptLease;
  readonly admit: (lease: Lease) => void;
  readonly refuse: (reason: unknown) => void;
}

/** What a store answers, or tells later. */
type Heard = Standing & Partial<Omit<Arrangement, "by">> & { readonly by?: "policy" | object };

/** How soon to ask again where the store could not answer, at most. */
const RETRY_MS = 1_000;

/** What the claims of this process are told apart by from those of others. */
const PROCESS = Math.random().toString(36).slice(2, 12);
let claims = 0;

/**
 * The claims of this process on one key. Before leases run out it tells the store again what is held and who waits, which
 * also mends whatever the store lost or could not tell.
 */
export class Keeper implements LeaseKeeper {
  readonly #store: SemaphoreStore;
  readonly #key: string;
  readonly #leaseMs: number;
  readonly #rules: () => SemaphoreRules;
  readonly #onEmpty: () => void;
  readonly #timer: Timer;
  readonly #background: Timer;
  readonly #claims = new Map<string, Claim>();
  #alarm: AbortController | undefined;
  #renewAt = 0;

  constructor(
    store: SemaphoreStore,
    key: string,
    leaseMs: number,
    rules: () => SemaphoreRules,
    onEmpty: () => void,
  ) {
    this.#store = store;
    this.#key = key;
    this.#leaseMs = leaseMs;
    this.#rules = rules;
    this.#onEmpty = onEmpty;
    this.#timer = timerOf(store.clock);
    this.#background = timerOf(store.clock, true);
  }

  now(): number {
    return this.#timer.now();
  }

  /** Asks for permits; with a timeout in line. Rejects with a LimitedError, a StoreError, or the reason of `signal`. */
  acquire(permits: number, timeoutMs: number, signal: AbortSignalLike | undefined): Promise<Lease> {
    return new Promise((resolve, reject) => {
      const timeout = timeoutMs > 0 ? new AbortController() : undefined;
      const settle = (): void => {
        forget();
        timeout?.abort(WOKEN);
      };
      const claim = this.#enter(permits, timeoutMs > 0, {
        admit: (lease) => {
          settle();
          resolve(lease);
        },
        refuse: (reason) => {
          settle();
          reject(reason);
        },
      });
      const forget = onAbort(signal, () => this.#giveUp(claim, signal!.reason));
      if (timeout !== undefined) {
        sleepUntil(this.now() + timeoutMs, this.#timer, timeout.signal).then(
          () => this.#giveUp(claim, this.#limited(permits)),
          () => {},
        );
      }
      void this.#ask(claim, claim.waits ? "wait" : "acquire");
    });
  }

  /** Asks a store that answers at once. @throws LimitedError */
  acquireSync(permits: number): Lease {
    let lease: Lease | undefined;
    const claim = this.#enter(permits, false, {
      admit: (admitted) => {
        lease = admitted;
      },
      refuse: (reason) => {
        throw reason;
      },
    });
    try {
      const askedAt = this.now();
      this.#hear(claim, claim.store, this.#arrange(claim, "acquire") as Arrangement, askedAt);
    } catch (error) {
      this.#forget(claim);
      throw error;
    }
    return lease!;
  }

  /** Lets in who waits here if there is room now, as more is allowed than before. */
  letIn(): void {
    const waits = [...this.#claims.values()].some(({ lease }) => lease === undefined);
    if (waits) void this.#tell(this.#store);
  }

  async renew({ id }: KeptLease): Promise<void> {
    const claim = this.#claims.get(id);
    if (claim === undefined) return;
    const askedAt = this.now();
    const { store } = claim;
    this.#hear(claim, store, await this.#arrange(claim, "renew"), askedAt);
  }

  async release({ id }: KeptLease): Promise<void> {
    const claim = this.#claims.get(id);
    if (claim === undefined) return;
    this.#forget(claim);
    await this.#arrange(claim, "release");
  }

  #enter(permits: number, waits: boolean, ends: Pick<Claim, "admit" | "refuse">): Claim {
    const id = `${PROCESS}-${++claims}`;
    const claim = {
      id,
      key: this.#key,
      permits,
      waits,
      store: this.#store,
      heardAt: Number.NEGATIVE_INFINITY,
      asked: 0,
      ...ends,
    };
    this.#claims.set(id, claim);
    this.#watch();
    return claim;
  }

  /** Forgets a claim that has come to its end. */
  #forget({ id }: Claim): void {
    if (!this.#claims.delete(id) || this.#claims.size > 0) return;
    this.#alarm?.abort(WOKEN);
    this.#alarm = undefined;
    this.#onEmpty();
  }

  /** Ends a claim, and tells the store even if it may never have heard of it: nothing may be held by nobody. */
  #giveUp(claim: Claim, reason: unknown): void {
    if (!this.#claims.has(claim.id)) return;
    this.#forget(claim);
    if (claim.lease === undefined) claim.refuse(reason);
    else claim.lease.lose(String(reason));
    void this.#tell(claim.store, this.#request(claim, "release"));
  }

  /** Asks for something of which nobody waits for the outcome. */
  async #tell(store: SemaphoreStore, request?: SemaphoreRequest): Promise<void> {
    try {
      await store.arrange(this.#key, this.#rules(), request);
    } catch {
      // What is not released is free when its lease ends.
    }
  }

  #request(claim: Claim, act: SemaphoreRequest["act"]): SemaphoreRequest {
    const { id, permits, store } = claim;
    const request = { act, id, permits, leaseMs: this.#leaseMs };
    if (act !== "wait") return request;
    return {
      ...request,
      onNews: (news) => {
        if (news === undefined) void this.#ask(claim, "wait");
        else if (news instanceof Error) this.#giveUp(claim, news);
        else this.#hear(claim, store, news, this.now());
      },
    };
  }

  #arrange(claim: Claim, act: SemaphoreRequest["act"]): Arrangement | Promise<Arrangement> {
    return claim.store.arrange(this.#key, this.#rules(), this.#request(claim, act));
  }

  async #ask(claim: Claim, act: SemaphoreRequest["act"]): Promise<void> {
    if (!this.#claims.has(claim.id)) return;
    const askedAt = this.now();
    const { store } = claim;
    claim.asked++;
    try {
      const answer = this.#arrange(claim, act);
      // What is there at once is heard at once: news of somebody behind it must not come first.
      this.#hear(claim, store, "then" in answer ? await answer : answer, askedAt);
    } catch (error) {
      this.#despair(claim, store, error);
    } finally {
      claim.asked--;
    }
  }

  /** What it means to a claim that a store had no answer. */
  #despair(claim: Claim, store: SemaphoreStore, error: unknown): void {
    // Its release may have come before it.
    if (!this.#claims.has(claim.id)) void this.#tell(store, this.#request(claim, "release"));
    // Another store has taken it over, or may be about to.
    else if (claim.store !== store || claim.asked > 1) return;
    else if (claim.lease === undefined && this.now() - claim.heardAt >= this.#leaseMs)
      this.#giveUp(claim, error);
    else this.#renewBy(this.now() + Math.min(RETRY_MS, this.#thirdMs));
  }

  /** What the answer of a store means to a claim, unless that has come to its end meanwhile, or is with another store. */
  #hear(claim: Claim, store: SemaphoreStore, answer: Heard, askedAt: number): void {
    const { status, token, leftMs, by } = answer;
    const from = typeof by === "object" ? (by as SemaphoreStore) : store;
    const isLeft = claim.store !== store && claim.store !== from;
    if (isLeft || !this.#claims.has(claim.id)) {
      // Its release came before it, or went to another store.
      if (by !== "policy" && status !== "none") void this.#tell(from, this.#request(claim, "release"));
      return;
    }
    claim.store = from;
    if (by === "policy" || status === "none") this.#forget(claim);
    claim.heardAt = askedAt;
    if (status === "held") {
      const endsAt = askedAt + leftMs;
      if (claim.lease === undefined && endsAt <= this.now()) {
        this.#miss(claim);
        return;
      }
      claim.lease ??= new KeptLease(this, claim, token, 0);
      claim.lease.endsAt = endsAt;
      claim.admit(claim.lease);
      if (endsAt - this.now() < 2 * this.#thirdMs) this.#renewBy(this.now());
    } else if (status === "none") {
      if (claim.lease !== undefined) claim.lease.lose("it had ended before it was renewed");
      else claim.refuse(this.#limited(claim.permits, answer));
    }
  }

  /** Its turn was over before it was heard of, as this process or the network stood still. */
  #miss(claim: Claim): void {
    if (claim.waits) void this.#ask(claim, "wait");
    else this.#giveUp(claim, new ThrottledError("The lease was lost: it had ended before it was heard of"));
  }

  #limited(permits: number, answer?: Heard): LimitedError {
    const { capacity } = this.#rules();
    const { inUse = capacity, waiting = 0, leftMs = this.#leaseMs, by } = answer ?? {};
    const result: RateLimitResult = {
      limited: true,
      quotaIndex: 0,
      source: by === undefined ? "store" : by === "policy" ? "policy" : "fallback",
      limit: capacity,
      remaining: waiting > 0 ? 0 : Math.max(0, capacity - inUse),
      resetAfterMs: leftMs,
      retryAfterMs: permits > capacity ? Number.POSITIVE_INFINITY : Math.max(1, leftMs),
    };
    return new LimitedError(this.#key, result, "Concurrency");
  }

  get #thirdMs(): number {
    return Math.max(1, Math.floor(this.#leaseMs / 3));
  }

  #renewBy(moment: number): void {
    if (moment >= this.#renewAt || this.#alarm === undefined) return;
    this.#renewAt = moment;
    this.#alarm.abort(WOKEN);
    this.#alarm = new AbortController();
    void this.#keepWatch(this.#alarm.signal);
  }

  #watch(): void {
    if (this.#alarm !== undefined) return;
    this.#alarm = new AbortController();
    this.#renewAt = this.now() + this.#thirdMs;
    void this.#keepWatch(this.#alarm.signal);
  }

  async #keepWatch(signal: AbortSignalLike): Promise<void> {
    try {
      while (!signal.aborted) {
        let moment = this.#renewAt;
        for (const { lease } of this.#claims.values())
          if (lease && lease.endsAt < moment) moment = lease.endsAt;
        await sleepUntil(moment, this.#background, signal);
        this.#look();
      }
    } catch (error) {
      // Sleep fails when there is nothing left to watch, or else with the clock: then nobody would hear of a loss.
      if (!signal.aborted) for (const claim of this.#claims.values()) this.#giveUp(claim, error);
    }
  }

  #look(): void {
    const now = this.now();
    for (const claim of this.#claims.values()) {
      if (claim.lease !== undefined && now >= claim.lease.endsAt) {
        this.#giveUp(claim, "it could not be renewed before it ended");
      }
    }
    if (now < this.#renewAt) return;
    this.#renewAt = now + this.#thirdMs;
    for (const claim of this.#claims.values()) {
      if (claim.lease !== undefined) void this.#ask(claim, "renew");
      // Who has not heard yet may not want to wait.
      else if (claim.heardAt > Number.NEGATIVE_INFINITY) void this.#ask(claim, "wait");
    }
  }
}
