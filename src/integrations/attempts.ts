import { type AbortSignalLike, unlessAborted } from "../abort.js";
import { LimitedError } from "../errors.js";
import { sleepUntil, type Timer, timerOf } from "../sleep.js";
import type { Store } from "../stores/store.js";
import type { Throttled } from "../throttled.js";
import { PAUSES } from "./pause.js";
import { type Answered, retryHint } from "./retry-hints.js";

const LONGEST_BACKOFF_MS = 30_000;

/** What one call has to know of its attempts. */
export interface AttemptsOptions {
  readonly throttle: Throttled<Store>;
  readonly key: string;
  /** Units of each attempt. */
  readonly cost: number | undefined;
  /** How long after the call the last attempt may begin. */
  readonly timeoutMs: number;
  readonly signal: AbortSignalLike | undefined;
}

/** The attempts of one call: when each of them may begin, and what their answers say about those to come. */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #timer: Timer;
  readonly #deadline: number;

  constructor(options: AttemptsOptions) {
    this.#options = options;
    this.#timer = timerOf(options.throttle.store.clock);
    this.#deadline = this.#timer.now() + options.timeoutMs;
  }

  /** Resolves when it is the turn of the next attempt. Rejects with a LimitedError, a StoreError or the reason of the signal. */
  async turn(): Promise<void> {
    const { throttle, key, cost, signal } = this.#options;
    for (;;) {
      await this.#endOfPause();
      const before = this.#timer.now();
      const permit = await throttle.acquire(key, { cost, timeout: this.#leftMs(), signal });
      // While it waited another may have been told to pause: then nobody had this turn.
      if (this.#timer.now() - before < 1 || (await this.#pauseMs()) === 0) return;
      await permit.refund();
    }
  }

  /**
   * Shares what an answer says with all who call under this key. Answers how long to wait before another attempt, if the
   * answer was a refusal and there is time for one. Rejects with the reason of the signal.
   */
  async learn(answer: Answered, attempt: number): Promise<number | undefined> {
    const { refused, pauseMs } = retryHint(answer);
    if (!refused && pauseMs === 0) return undefined;
    const ms = pauseMs === 0 ? backoffMs(attempt) : pauseMs;
    // 503 may be about one resource alone, while 429 is about who calls.
    const isShared = pauseMs > 0 || answer.status === 429;
    const waitMs = isShared ? await unlessAborted(this.#pause(ms), this.#options.signal) : ms;
    return refused && waitMs <= this.#leftMs() ? waitMs : undefined;
  }

  /** Resolves after `ms` milliseconds. Rejects with the reason of the signal. */
  async wait(ms: number): Promise<void> {
    const { signal } = this.#options;
    if (signal?.aborted) throw signal.reason;
    await sleepUntil(this.#timer.now() + ms, this.#timer, signal);
  }

  async #endOfPause(): Promise<void> {
    for (let ms = await this.#pauseMs(); ms > 0; ms = await this.#pauseMs()) {
      if (ms > this.#leftMs()) throw this.#limited(ms);
      await this.wait(ms);
    }
  }

  /** How long the key still rests; a policy knows nothing of that, and has its say when a turn is taken. */
  async #pauseMs(): Promise<number> {
    const { throttle, key, signal } = this.#options;
    const { source, resetAfterMs } = await unlessAborted(throttle.store.decide(PAUSES, key, 0, 0), signal);
    return source === "policy" ? 0 : resetAfterMs;
  }

  /** Lets the key rest, and answers for how long, as others may have been told more. */
  async #pause(ms: number): Promise<number> {
    const { throttle, key } = this.#options;
    try {
      const { resetAfterMs } = await throttle.store.decide(PAUSES, key, ms, Number.POSITIVE_INFINITY);
      return Math.max(ms, resetAfterMs);
    } catch {
      // There is an answer for the caller, which matters more than that nobody else hears of it.
      return ms;
    }
  }

  #limited(pauseMs: number): LimitedError {
    const { throttle, key } = this.#options;
    return new LimitedError(key, {
      limited: true,
      quotaIndex: 0,
      source: "store",
      limit: throttle.quotas[0]!.burst,
      remaining: 0,
      resetAfterMs: pauseMs,
      retryAfterMs: pauseMs,
    });
  }

  #leftMs(): number {
    const left = Math.ceil(this.#deadline - this.#timer.now());
    return Math.max(0, Math.min(left, this.#options.timeoutMs));
  }
}

/** Where nobody says how long to wait: up to a second, and twice as long each time, at random so that not all come at once. */
function backoffMs(attempt: number): number {
  const most = Math.min(1_000 * 2 ** attempt, LONGEST_BACKOFF_MS);
  return Math.ceil(most * (0.5 + Math.random() / 2));
}
