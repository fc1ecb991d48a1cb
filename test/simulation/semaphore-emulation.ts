/** Somebody who holds permits or waits for them. */
export interface Place {
  /** "permits/leaseMs/owner/name" */
  readonly id: string;
  readonly token: number;
  readonly isHeld: boolean;
  readonly endsAt: number;
}

/** What a server keeps for a semaphore; it is replaced, never changed. */
export interface SemaphoreEntry {
  readonly token: number;
  readonly places: readonly Place[];
}

/** What a run of the script comes to. */
export interface SemaphoreRun {
  readonly reply: readonly (number | string)[];
  /** What to keep and for how long, if it is not what was found. */
  readonly write?: { readonly entry: SemaphoreEntry; readonly ttlMs: number };
  /** Messages in order. */
  readonly published: readonly { readonly channel: string; readonly message: string }[];
}

const GRACE_MS = 3_600_000;

/** What state.lua means: the same arguments, the same reply, the same messages. `serverNow` is the time of the server. */
export function runSemaphoreScript(
  found: SemaphoreEntry | undefined,
  args: readonly string[],
  serverNow: number,
): SemaphoreRun {
  const [clock, owner, channel, capacity, maxWaiting, ...asked] = args as [
    string,
    string,
    string,
    ...string[],
  ];
  const now = clock === "" ? serverNow : Number(clock);
  const requests = asked.map((text) => text.split(" ") as [act: string, id: string]);
  const line = new Line(found, now, Number(capacity));
  for (const [act, id] of requests) line.carryOut(act, id, Number(maxWaiting));
  const { places } = line;
  const told = line.moved.filter((id) => !requests.some(([, each]) => each === id));
  const ends = [...places.values()].map(({ endsAt }) => endsAt);
  const reply: (number | string)[] = [
    now,
    line.inUse,
    line.waiting.length,
    ends.length ? Math.min(...ends) : 0,
  ];
  for (const [, id] of requests) reply.push(...line.standingOf(id));
  const published: { channel: string; message: string }[] = [];
  for (const id of told) {
    const [token, endsAt] = line.standingOf(id);
    if (termsOf(id).owner === owner) reply.push(id, token, endsAt);
    else published.push({ channel: channel + termsOf(id).owner, message: `${id} ${token} ${endsAt}` });
  }
  if (!line.isChanged) return { reply, published };
  const entry = { token: line.token, places: [...places.values()] };
  return {
    reply,
    published,
    write: { entry, ttlMs: Math.max(0, ...ends.map((end) => end - now)) + GRACE_MS },
  };
}

/** What an id says of itself. */
export function termsOf(id: string): { permits: number; leaseMs: number; owner: string } {
  const [permits, leaseMs, owner] = id.split("/", 3) as [string, string, string];
  return { permits: Number(permits), leaseMs: Number(leaseMs), owner };
}

class Line {
  readonly places: Map<string, Place>;
  readonly moved: string[] = [];
  token: number;
  isChanged = false;
  readonly #now: number;
  readonly #capacity: number;

  constructor(found: SemaphoreEntry | undefined, now: number, capacity: number) {
    this.places = new Map(found?.places.map((place) => [place.id, place]));
    this.token = found?.token ?? 0;
    this.#now = now;
    this.#capacity = capacity;
    for (const { id, endsAt } of this.places.values()) if (endsAt <= now) this.#leave(id);
    this.#letIn();
  }

  get inUse(): number {
    let permits = 0;
    for (const { id, isHeld } of this.places.values()) if (isHeld) permits += termsOf(id).permits;
    return permits;
  }

  /** Those who wait, in the order in which they came, as tokens grow. */
  get waiting(): Place[] {
    return [...this.places.values()].filter(({ isHeld }) => !isHeld);
  }

  /** The token, below 0 for those who wait and 0 for nothing, and when the lease ends. */
  standingOf(id: string): [token: number, endsAt: number] {
    const place = this.places.get(id);
    if (place === undefined) return [0, 0];
    return [place.isHeld ? place.token : -place.token, place.endsAt];
  }

  carryOut(act: string, id: string, maxWaiting: number): void {
    const { permits, leaseMs } = termsOf(id);
    const place = this.places.get(id);
    const endsAt = this.#now + leaseMs;
    const { waiting } = this;
    const isOpen = waiting.length === 0 && this.inUse + permits <= this.#capacity;
    if (act === "release") this.#leave(id);
    else if (place !== undefined) this.#put({ ...place, endsAt });
    else if (act !== "renew" && permits <= this.#capacity) {
      if (isOpen || (act === "wait" && waiting.length < maxWaiting)) {
        this.token = Math.max(this.token + 1, this.#now * 1_000);
        this.#put({ id, token: this.token, isHeld: false, endsAt });
      }
    }
    this.#letIn();
  }

  #letIn(): void {
    for (const place of this.waiting) {
      const { permits } = termsOf(place.id);
      if (permits > this.#capacity) this.#leave(place.id);
      else if (this.inUse + permits > this.#capacity) return;
      else this.#put({ ...place, isHeld: true });
      this.moved.push(place.id);
    }
  }

  #put(place: Place): void {
    this.places.set(place.id, place);
    this.isChanged = true;
  }

  #leave(id: string): void {
    if (this.places.delete(id)) this.isChanged = true;
  }
}
