import type { SemaphoreRequest, SemaphoreRules, Standing } from "../../src/index.js";

/** What a request is told. */
export type ModelArrangement = Standing & { readonly inUse: number; readonly waiting: number };

/** Somebody who holds permits, or waits for them. */
interface Member {
  readonly id: string;
  readonly permits: number;
  readonly token: number;
  readonly endsAt: number;
  readonly isHolder: boolean;
}

/** What somebody hears who did not ask. */
export type News = readonly [id: string, status: "held" | "none", token: number];

/**
 * Who holds permits of a key and who waits for them. One list in the order of arrival, looked through anew for whatever
 * happens; members are never changed but replaced.
 */
export class ModelSemaphore {
  /** What was told to others by the last request. */
  news: News[] = [];
  #members: readonly Member[] = [];
  #lastToken = 0;

  /** When the last lease ends, 0 if there is none. */
  get lastEnd(): number {
    return Math.max(0, ...this.#members.map(({ endsAt }) => endsAt));
  }

  /** Whether it was ever used. */
  get isKnown(): boolean {
    return this.#lastToken > 0;
  }

  arrange(now: number, rules: SemaphoreRules, request?: Omit<SemaphoreRequest, "onNews">): ModelArrangement {
    this.news = [];
    this.#members = this.#members.filter(({ endsAt }) => endsAt > now);
    this.#letIn(rules);
    if (request !== undefined) {
      this.#members = this.#after(request, now, rules);
      this.#letIn(rules);
    }
    this.news = this.news.filter(([id]) => id !== request?.id);
    const inUse = sum(this.#holders);
    return { ...this.#standing(request, now), inUse, waiting: this.#line.length };
  }

  get #holders(): readonly Member[] {
    return this.#members.filter(({ isHolder }) => isHolder);
  }

  get #line(): readonly Member[] {
    return this.#members.filter(({ isHolder }) => !isHolder);
  }

  #after(
    { act, id, permits, leaseMs }: Omit<SemaphoreRequest, "onNews">,
    now: number,
    { capacity, maxWaiting }: SemaphoreRules,
  ): readonly Member[] {
    if (act === "release") return this.#members.filter((member) => member.id !== id);
    const endsAt = now + leaseMs;
    // To ask again changes nothing but how long it holds.
    if (this.#members.some((member) => member.id === id)) {
      return this.#members.map((member) => (member.id === id ? { ...member, endsAt } : member));
    }
    const isLineEmpty = this.#line.length === 0;
    const fits = isLineEmpty && sum(this.#holders) + permits <= capacity;
    const mayWait = act === "wait" && this.#line.length < maxWaiting;
    if (act === "renew" || permits > capacity || !(fits || mayWait)) return this.#members;
    // Tokens go by the time in microseconds, or by the last one plus one.
    this.#lastToken = Math.max(this.#lastToken + 1, now * 1_000);
    return [...this.#members, { id, permits, token: this.#lastToken, endsAt, isHolder: false }];
  }

  /** Strictly first come, first served; who waits for more than there will ever be is sent away. */
  #letIn({ capacity }: SemaphoreRules): void {
    for (let next = this.#line[0]; next !== undefined; next = this.#line[0]) {
      const { id, permits, token } = next;
      if (permits > capacity) {
        this.#members = this.#members.filter((member) => member !== next);
        this.news.push([id, "none", 0]);
      } else if (sum(this.#holders) + permits <= capacity) {
        this.#members = this.#members.map((member) =>
          member === next ? { ...member, isHolder: true } : member,
        );
        this.news.push([id, "held", token]);
      } else return;
    }
  }

  #standing(request: Omit<SemaphoreRequest, "onNews"> | undefined, now: number): Standing {
    const member = this.#members.find(({ id }) => id === request?.id);
    if (member !== undefined) {
      const { isHolder, token, endsAt } = member;
      return { status: isHolder ? "held" : "waiting", token, leftMs: endsAt - now };
    }
    const isRefused = request?.act === "acquire" || request?.act === "wait";
    const ends = this.#members.map(({ endsAt }) => endsAt);
    return { status: "none", token: 0, leftMs: isRefused && ends.length > 0 ? Math.min(...ends) - now : 0 };
  }
}

function sum(members: readonly Member[]): number {
  return members.reduce((permits, member) => permits + member.permits, 0);
}
