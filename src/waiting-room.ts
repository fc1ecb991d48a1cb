import { type AbortSignalLike, onAbort } from "./abort.js";
import type { Booking, Limiter } from "./algorithms/limiter.js";
import type { RateLimitResult } from "./result.js";
import { sleepUntil, type Timer, timerOf, WOKEN } from "./sleep.js";
import type { Store } from "./stores/store.js";

/** Units that may be spent from a moment on, as the store booked them. */
interface Place {
  moment: number;
  /** How much earlier that moment may be in truth, as the answer was on its way. */
  readonly lateMs: number;
  result: RateLimitResult;
  units: number;
  booking: Booking | undefined;
}

interface Waiter {
  readonly cost: number;
  readonly booked: RateLimitResult;
  readonly go: (result: RateLimitResult) => void;
  readonly fail: (reason: unknown) => void;
}

/** The rooms in which somebody waits, by store, then by limiter and key; it holds no store alive. */
const rooms = new WeakMap<Store, Map<string, WaitingRoom>>();

/** The room of those who wait for a key, if there are any. */
export function openWaitingRoom(store: Store, { id }: Limiter, key: string): WaitingRoom | undefined {
  return rooms.get(store)?.get(`${id}:${key}`);
}

/** The room for somebody who waits `waitMs` for a key; it is gone once the last of those in it has left. */
export function waitingRoom(store: Store, limiter: Limiter, key: string, waitMs: number): WaitingRoom {
  const open = openWaitingRoom(store, limiter, key);
  if (open?.isInLine(waitMs)) return open;
  const ofStore = rooms.get(store) ?? new Map<string, WaitingRoom>();
  const name = `${limiter.id}:${key}`;
  const room = new WaitingRoom(store, limiter, key, () => {
    if (ofStore.get(name) === room) ofStore.delete(name);
  });
  rooms.set(store, ofStore.set(name, room));
  return room;
}

/**
 * Those of this process who wait for one key, in the order in which the store booked their places. Places and waiters are
 * queues of their own: when somebody leaves, everybody behind moves up a place, and the last place goes back to the store.
 */
class WaitingRoom {
  readonly #store: Store;
  readonly #limiter: Limiter;
  readonly #key: string;
  readonly #timer: Timer;
  readonly #onEmpty: () => void;
  readonly #places: Place[] = [];
  readonly #waiters = new Set<Waiter>();
  /** Units whose moment has come while the next in line needs more. */
  #ready = 0;
  #alarm: AbortController | undefined;

  constructor(store: Store, limiter: Limiter, key: string, onEmpty: () => void) {
    this.#store = store;
    this.#limiter = limiter;
    this.#key = key;
    this.#onEmpty = onEmpty;
    this.#timer = timerOf(store.clock);
  }

  /**
   * Whether a wait of `waitMs` ends behind all others here. It does not after a reset, or once the store has forgotten the
   * key: then it must not stand in line with those who were told to wait longer.
   */
  isInLine(waitMs: number): boolean {
    const last = this.#places.at(-1);
    if (last === undefined) return true;
    return this.#timer.now() + waitMs >= last.moment - last.lateMs - this.#timer.slackMs;
  }

  /**
   * Resolves at the moment that was booked or, after somebody left, an earlier one; rejects with the reason of `signal`.
   * @param lateMs how long the answer with the booking took.
   */
  wait(
    result: RateLimitResult,
    booking: Booking,
    cost: number,
    signal: AbortSignalLike | undefined,
    lateMs: number,
  ): Promise<RateLimitResult> {
    return new Promise((resolve, reject) => {
      const forget = onAbort(signal, () => waiter.fail(signal!.reason));
      const waiter: Waiter = {
        cost,
        booked: result,
        go: (answer) => {
          forget();
          resolve(answer);
        },
        fail: (reason) => {
          forget();
          this.#waiters.delete(waiter);
          reject(reason);
          this.#admit();
          this.#trim(cost).catch(() => {});
        },
      };
      this.#waiters.add(waiter);
      const moment = this.#timer.now() + booking.waitMs;
      this.#places.push({ moment, lateMs, result, units: cost, booking });
      this.#arm();
      if (signal?.aborted) waiter.fail(signal.reason);
    });
  }

  /** Gives units back: to the next in line, no more than a fresh key could spend, and their places to the store. */
  async refund(units: number): Promise<void> {
    const some = Math.min(units, this.#limiter.capacity(0));
    this.#ready += some;
    this.#admit();
    await Promise.all([this.#trim(some), units > some && this.#giveBack(units - some)]);
  }

  /** Lets everybody go whose units are ready. */
  #admit(result?: RateLimitResult): void {
    for (const waiter of this.#waiters) {
      if (waiter.cost > this.#ready) break;
      this.#ready -= waiter.cost;
      this.#waiters.delete(waiter);
      waiter.go(result ?? waiter.booked);
    }
  }

  /** Returns units that nobody here waits for any more, from the last place on. */
  async #trim(units: number): Promise<void> {
    const returned: Promise<unknown>[] = [];
    let left = units;
    for (let last = this.#places.at(-1); left > 0 && last !== undefined; last = this.#places.at(-1)) {
      const freed = last.units;
      returned.push(this.#giveBack(freed, last.booking));
      if (left < freed) returned.push(this.#rebook(last, freed - left));
      else this.#places.pop();
      left -= Math.min(left, freed);
    }
    this.#ready -= left;
    if (left > 0) returned.push(this.#giveBack(left));
    this.#arm();
    await Promise.all(returned);
  }

  /** Books a place anew for fewer units, which are ready earlier unless somebody elsewhere was faster. */
  async #rebook(place: Place, units: number): Promise<void> {
    place.units = units;
    place.booking = undefined;
    const { booking, ...result } = await this.#store.decide(
      this.#limiter,
      this.#key,
      units,
      Number.MAX_SAFE_INTEGER,
    );
    // Then the moment that was booked before still holds, as it does if the store was away and another one answered.
    if (result.limited || result.source !== "store") return;
    place.booking = booking;
    place.result = result;
    place.moment = Math.min(place.moment, this.#timer.now() + (booking?.waitMs ?? 0));
    if (this.#places[0] === place) this.#alarm?.abort(WOKEN);
  }

  async #giveBack(units: number, booking?: Booking): Promise<void> {
    await this.#store.decide(this.#limiter, this.#key, -units, 0, booking);
  }

  /** Keeps one timer, for the first place; none when there is none, so that it holds no process. */
  #arm(): void {
    if (this.#places.length === 0) {
      this.#alarm?.abort(WOKEN);
      this.#onEmpty();
    } else if (this.#alarm === undefined) {
      this.#alarm = new AbortController();
      void this.#serve(this.#alarm.signal);
    }
  }

  async #serve(signal: AbortSignalLike): Promise<void> {
    try {
      for (let place = this.#places[0]; place !== undefined; place = this.#places[0]) {
        await sleepUntil(place.moment, this.#timer, signal);
        if (this.#places[0] !== place) continue;
        this.#places.shift();
        this.#ready += place.units;
        this.#admit(place.result);
      }
    } catch (error) {
      // Sleep fails when the last place was given back, or else with the clock.
      if (!signal.aborted) for (const waiter of this.#waiters) waiter.fail(error);
    }
    this.#alarm = undefined;
    this.#arm();
  }
}
