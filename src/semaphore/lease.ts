import type { PlatformAbortSignal } from "../abort.js";
import { ThrottledError } from "../errors.js";

/** Permits that are held until they are released; they are renewed meanwhile, and free again if this process dies. */
export interface Lease extends Disposable, AsyncDisposable {
  /** The key whose permits these are. */
  readonly key: string;
  /** How many are held. */
  readonly permits: number;
  /**
   * The fencing token: higher than that of every earlier holder of the key. Hand it on to what is protected, which can then
   * turn away writes with a lower one. 0 if no store gave the permits, but the policy for a store that is unavailable.
   */
  readonly token: number;
  /** Whole milliseconds until the lease ends unless it is renewed; 0 once it is lost or released. Example: 29998 of `"30s"`. */
  readonly expiresInMs: number;
  /** Aborts when the lease is lost: it ended before it could be renewed, and others may hold the permits now. */
  readonly signal: PlatformAbortSignal;
  /** Renews the lease now, which happens by itself at a third of its time. Rejects with a StoreError, or why it was lost. */
  renew(): Promise<void>;
  /**
   * Gives the permits back; a further call does nothing, nor one after the lease was lost. Rejects with a StoreError; the
   * permits are then free as soon as the store can be told, at the latest when the lease ends. The end of a `using` block does
   * the same, and ignores such an error.
   */
  release(): Promise<void>;
}

/** What a lease needs of whoever keeps it. */
export interface LeaseKeeper {
  /** Milliseconds by a clock that is never set. */
  now(): number;
  /** Asks for more time; rejects with a StoreError. */
  renew(lease: KeptLease): Promise<void>;
  /** Gives the permits back, and has done so when it returns if the store answers at once; rejects with a StoreError. */
  release(lease: KeptLease): Promise<void>;
}

/** A lease as its keeper sees it. */
export class KeptLease implements Lease {
  readonly id: string;
  readonly key: string;
  readonly permits: number;
  readonly token: number;
  readonly #keeper: LeaseKeeper;
  readonly #loss = new AbortController();
  /** When it ends, by the clock of the keeper. */
  endsAt: number;
  #lost: ThrottledError | undefined;
  #released: Promise<void> | undefined;

  constructor(
    keeper: LeaseKeeper,
    { id, key, permits }: { readonly id: string; readonly key: string; readonly permits: number },
    token: number,
    endsAt: number,
  ) {
    this.#keeper = keeper;
    this.id = id;
    this.key = key;
    this.permits = permits;
    this.token = token;
    this.endsAt = endsAt;
  }

  get signal(): PlatformAbortSignal {
    return this.#loss.signal;
  }

  get expiresInMs(): number {
    if (this.#released !== undefined || this.#lost !== undefined) return 0;
    return Math.max(0, Math.floor(this.endsAt - this.#keeper.now()));
  }

  async renew(): Promise<void> {
    await this.#keeper.renew(this);
    if (this.#lost !== undefined) throw this.#lost;
  }

  release(): Promise<void> {
    this.#released ??= this.#lost !== undefined ? Promise.resolve() : this.#keeper.release(this);
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(() => {});
  }

  [Symbol.dispose](): void {
    this.release().catch(() => {});
  }

  /** Tells its holder that it is lost. */
  lose(why: string): void {
    this.#lost = new ThrottledError(`The lease was lost: ${why}`);
    this.#loss.abort(this.#lost);
  }
}
