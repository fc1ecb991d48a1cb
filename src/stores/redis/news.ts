import type { Standing } from "../../semaphore/state.js";
import type { Connection, Subscriber } from "./connection.js";

type OnNews = (news?: Standing | Error) => void;

/**
 * How often those who wait ask again in case a message was lost or a holder died, and how often without a subscription; a
 * quarter more or less, so that not all ask at once, and within a second.
 */
const RECHECK_MS = 750;
const RECHECK_UNSUBSCRIBED_MS = 150;

/** How many of a key ask again: those behind them can't be let in before. */
const FIRST_IN_LINE = 16;

/** Tells those who wait what became of their places: by one subscription for all of them, on a connection of its own. */
export class News {
  readonly #connection: Connection;
  readonly #channel: string;
  /** By id, those who wait; in the order in which they came. */
  readonly #expected = new Map<string, { readonly key: string; readonly onNews: OnNews }>();
  #subscriber: Subscriber | undefined;
  #isSubscribed = false;
  #recheck: NodeJS.Timeout | undefined;
  /** A moment of the server, and one of this process that was not later. */
  #serverNow = 0;
  #localNow = 0;

  constructor(connection: Connection, channel: string) {
    this.#connection = connection;
    this.#channel = channel;
  }

  expect(id: string, key: string, onNews: OnNews): void {
    if (!this.#expected.has(id)) this.#expected.set(id, { key, onNews });
  }

  /** Whether somebody still waits to hear what becomes of a place. */
  isExpected(id: string): boolean {
    return this.#expected.has(id);
  }

  forget(id: string): void {
    this.#expected.delete(id);
  }

  /** Listens from now on if somebody was told to wait. */
  listen(): void {
    if (this.#expected.size === 0) return;
    this.#subscribe();
    if (this.#recheck !== undefined) return;
    const ms = this.#isSubscribed ? RECHECK_MS : RECHECK_UNSUBSCRIBED_MS;
    this.#recheck = setTimeout(
      () => {
        this.#recheck = undefined;
        this.#askAgain();
        this.listen();
      },
      ms * (0.75 + Math.random() / 2),
    ).unref();
  }

  /** Takes note of the server's time, which an answer told that was asked for at `askedAt`. */
  synchronize(now: number, askedAt: number): void {
    this.#serverNow = now;
    this.#localNow = askedAt;
  }

  /** Hands on what became of a place: a token of 0 was sent away. */
  tell(id: string, token: number, endsAt: number): void {
    const expected = this.#expected.get(id);
    if (expected === undefined) return;
    this.#expected.delete(id);
    // By then it is no later there, so the lease does not end before it does here.
    const now = this.#serverNow + Math.ceil(performance.now() - this.#localNow);
    expected.onNews(
      token > 0 ? { status: "held", token, leftMs: endsAt - now } : { status: "none", token: 0, leftMs: 0 },
    );
  }

  /** Tells all who wait that nothing comes any more, and why. */
  close(why: Error): void {
    clearTimeout(this.#recheck);
    const told = [...this.#expected.values()];
    this.#expected.clear();
    for (const { onNews } of told) onNews(why);
    this.#subscriber?.disconnect();
  }

  #askAgain(): void {
    const asked = new Map<string, number>();
    for (const { key, onNews } of [...this.#expected.values()]) {
      const before = asked.get(key) ?? 0;
      if (before < FIRST_IN_LINE) onNews();
      asked.set(key, before + 1);
    }
  }

  #subscribe(): void {
    if (this.#subscriber !== undefined) return;
    const subscriber = this.#connection.subscriber();
    if (subscriber === undefined) return;
    this.#subscriber = subscriber;
    subscriber.on("error", () => {});
    subscriber.on("close", () => {
      this.#isSubscribed = false;
    });
    subscriber.on("message", (_channel: string, message: string) => {
      const [id = "", token, endsAt] = message.split(" ");
      this.tell(id, Number(token), Number(endsAt));
    });
    const subscribe = async (): Promise<void> => {
      try {
        await subscriber.subscribe(this.#channel);
        this.#isSubscribed = true;
        // What was told before is lost.
        this.#askAgain();
      } catch {
        // Then those who wait ask again until it works.
      }
    };
    subscriber.on("ready", subscribe);
    if (subscriber.status === "ready") void subscribe();
    else if (subscriber.status === "wait") subscriber.connect().catch(() => {});
  }
}
