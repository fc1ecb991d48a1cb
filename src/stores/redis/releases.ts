import type { SemaphoreRequest, SemaphoreRules } from "../../semaphore/state.js";

/** What somebody gives back. */
export interface Release {
  readonly key: string;
  readonly rules: SemaphoreRules;
  readonly request: SemaphoreRequest;
}

/** How often the server is told again. */
const AGAIN_MS = 250;

/** The most that are remembered; those of calls that an open breaker kept from the server need not be. */
const MOST = 4_096;

/** Releases that the server may not have heard of: it is told again until it answers, or until the leases are over. */
export class Releases {
  /** Whether the server answered what it was asked last. */
  isAnswering = false;
  readonly #send: (release: Release) => void;
  readonly #unheard = new Map<string, Release & { readonly until: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (release: Release) => void) {
    this.#send = send;
  }

  /** Keeps one for later, under the id of its place. */
  keep(id: string, release: Release): void {
    if (!this.#unheard.has(id) && this.#unheard.size < MOST) {
      this.#unheard.set(id, { ...release, until: performance.now() + release.request.leaseMs });
    }
    this.#tellLater();
  }

  /** Tells the server all of them, now. */
  tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const all = [...this.#unheard.values()];
    this.#unheard.clear();
    for (const release of all) this.#send(release);
  }

  #tellLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const now = performance.now();
      for (const [id, { until }] of this.#unheard) if (until <= now) this.#unheard.delete(id);
      if (this.isAnswering) this.tell();
      else {
        // One is enough to find out whether it answers again.
        for (const release of [...this.#unheard.values()].slice(0, 1)) this.#send(release);
        if (this.#unheard.size > 0) this.#tellLater();
      }
    }, AGAIN_MS).unref();
  }
}
