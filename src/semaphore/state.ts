/** What a semaphore allows; a decision goes by the rules of whoever asks. */
export interface SemaphoreRules {
  /** Permits that may be held at once. */
  readonly capacity: number;
  /** The most that may stand in line. */
  readonly maxWaiting: number;
}

/** What somebody asks of a semaphore; to ask the same again changes nothing but how long it holds. */
export interface SemaphoreRequest {
  /** `"acquire"` permits or nothing, `"wait"` for permits in line, `"renew"` what there is, or `"release"` all of it. */
  readonly act: "acquire" | "wait" | "renew" | "release";
  /** Whose permits these are: a name that nobody else has, without `/`. */
  readonly id: string;
  /** How many, 1 or more. */
  readonly permits: number;
  /** How long permits or a place in line hold without being renewed, in whole milliseconds. */
  readonly leaseMs: number;
  /**
   * Hears what became of a place in line; with nothing if the store can't tell, and should be asked again, and with an error
   * if it never will tell; `by` is the store that they are from if it is not the one that was asked.
   */
  readonly onNews?: (news?: (Standing & { readonly by?: object }) | Error) => void;
}

/** What somebody has. */
export interface Standing {
  readonly status: "held" | "waiting" | "none";
  /** The fencing token: the place in line counted over all time, so that it grows from holder to holder. */
  readonly token: number;
  /**
   * How long it holds, in whole milliseconds from the moment when it was asked for. To those who were refused: how long the
   * first lease of all others does, 0 if there is none.
   */
  readonly leftMs: number;
}

/** The answer of a store: what became of the request, and what the semaphore looks like now. */
export interface Arrangement extends Standing {
  /** Permits that are held. */
  readonly inUse: number;
  /** How many stand in line. */
  readonly waiting: number;
}

interface Place {
  readonly request: SemaphoreRequest;
  readonly token: number;
  held: boolean;
  endsAt: number;
}

/**
 * Who holds permits of one key and who waits for them, strictly first come, first served: the next in line holds up all
 * behind it, however few permits they need. Everybody has a lease, on permits or on a place in line. Dijkstra, "Cooperating
 * sequential processes" (1965); Gray and Cheriton, "Leases" (1989).
 */
export class SemaphoreState {
  readonly #places = new Map<string, Place>();
  /** Those who wait, in order. */
  readonly #line = new Set<Place>();
  #inUse = 0;
  /** No lease ends before. */
  #calmUntil = 0;
  #token: number;

  /** @param token one that is not lower than any that was given out before. */
  constructor(token = 0) {
    this.#token = token;
  }

  /** The last token that was given out. */
  get token(): number {
    return this.#token;
  }

  /** Whether nobody holds or waits for anything. */
  get isEmpty(): boolean {
    return this.#places.size === 0;
  }

  /** Carries out a request, if there is one; others who are let in or sent away by it hear of that at the end. */
  arrange(now: number, rules: SemaphoreRules, request?: SemaphoreRequest): Arrangement {
    if (now >= this.#calmUntil) this.#expire(now);
    const moved = this.#letIn(rules);
    if (request !== undefined) {
      this.#carryOut(request, now, rules);
      moved.push(...this.#letIn(rules));
    }
    const arrangement = { ...this.#standing(request, now), inUse: this.#inUse, waiting: this.#line.size };
    for (const each of moved) if (each.id !== request?.id) each.onNews?.(this.#standing(each, now));
    return arrangement;
  }

  #carryOut(request: SemaphoreRequest, now: number, { capacity, maxWaiting }: SemaphoreRules): void {
    const { act, id, permits, leaseMs } = request;
    const place = this.#places.get(id);
    if (act === "release") this.#leave(id);
    else if (place !== undefined) this.#extend(place, now + leaseMs);
    else if (act === "renew" || permits > capacity) return;
    else if (this.#isOpen(request, capacity) || (act === "wait" && this.#line.size < maxWaiting)) {
      // By the time, so that tokens grow even where nothing is remembered of those before.
      this.#token = Math.max(this.#token + 1, now * 1_000);
      const next = { request, token: this.#token, held: false, endsAt: 0 };
      this.#extend(next, now + leaseMs);
      this.#places.set(id, next);
      this.#line.add(next);
    }
  }

  #extend(place: Place, endsAt: number): void {
    place.endsAt = endsAt;
    this.#calmUntil = Math.min(this.#calmUntil, endsAt);
  }

  #expire(now: number): void {
    this.#calmUntil = Number.POSITIVE_INFINITY;
    for (const [id, { endsAt }] of this.#places) {
      if (endsAt <= now) this.#leave(id);
      else this.#calmUntil = Math.min(this.#calmUntil, endsAt);
    }
  }

  /** Whether somebody may go in without standing in line. */
  #isOpen({ permits }: SemaphoreRequest, capacity: number): boolean {
    return this.#line.size === 0 && this.#inUse + permits <= capacity;
  }

  /** Lets in whoever is next as long as there are permits, and sends away those for whom there never will be enough. */
  #letIn({ capacity }: SemaphoreRules): SemaphoreRequest[] {
    const moved: SemaphoreRequest[] = [];
    for (const place of this.#line) {
      const { id, permits } = place.request;
      if (permits > capacity) this.#leave(id);
      else if (this.#inUse + permits > capacity) break;
      else {
        this.#line.delete(place);
        this.#inUse += permits;
        // Its lease goes on as it was: who died in line must not hold permits for another one.
        place.held = true;
      }
      moved.push(place.request);
    }
    return moved;
  }

  #leave(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    if (place.held) this.#inUse -= place.request.permits;
    else this.#line.delete(place);
  }

  #standing(request: SemaphoreRequest | undefined, now: number): Standing {
    const place = request && this.#places.get(request.id);
    if (place !== undefined) {
      return { status: place.held ? "held" : "waiting", token: place.token, leftMs: place.endsAt - now };
    }
    const refused = request?.act === "acquire" || request?.act === "wait";
    if (!refused || this.isEmpty) return { status: "none", token: 0, leftMs: 0 };
    this.#expire(now);
    return { status: "none", token: 0, leftMs: this.#calmUntil - now };
  }
}
