import { type AbortSignalLike, onAbort } from "./abort.js";
import type { Clock } from "./clock.js";

/** The longest that `setTimeout` can wait; beyond it fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Why a sleep ends early that nobody needs any more: to make such an error anew takes longer than all else of a short wait. */
export const WOKEN: Error = Object.assign(new Error("The sleep is not needed any more"), {
  name: "AbortError",
});

/** Where a wait reads the time and sleeps. */
export interface Timer {
  now(): number;
  sleep(ms: number, signal: AbortSignalLike | undefined): Promise<void>;
  /** How much apart the same moment may seem to two calls, as answers take their time. */
  readonly slackMs: number;
}

/** Real time that no step of the wall clock changes. */
const realTimer: Timer = {
  now: () => performance.now(),
  slackMs: 25,
  sleep: (ms, signal) => sleep(ms, signal),
};

/** The same for what must not keep a process alive. */
const backgroundTimer: Timer = {
  ...realTimer,
  sleep: (ms, signal) => sleep(ms, signal, (timer) => timer.unref?.()),
};

/** Where those wait who go by a clock: real time, unless it can sleep by itself. */
export function timerOf(clock: Clock | undefined, inBackground = false): Timer {
  if (!clock?.sleep) return inBackground ? backgroundTimer : realTimer;
  return { now: () => clock.now(), sleep: (ms, signal) => clock.sleep!(ms, signal), slackMs: 0 };
}

function sleep(
  ms: number,
  signal: AbortSignalLike | undefined,
  start?: (timer: { unref?(): unknown }) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, Math.min(Math.ceil(ms), LONGEST_TIMER_MS));
    start?.(timer);
    const forget = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal!.reason);
    });
    function done(): void {
      forget();
      resolve();
    }
  });
}

/** Sleeps until `moment` and never less: timers fire early, and not beyond 24 days. Rejects with the reason of `signal`. */
export async function sleepUntil(
  moment: number,
  timer: Timer,
  signal: AbortSignalLike | undefined,
): Promise<void> {
  for (let left = moment - timer.now(); left > 0; left = moment - timer.now()) {
    await timer.sleep(left, signal);
  }
}
