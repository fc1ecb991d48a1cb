import { type AbortSignalLike, onAbort } from "./abort.js";

/** The longest that `setTimeout` can wait; beyond it fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Where a wait reads the time and sleeps. */
export interface Timer {
  now(): number;
  sleep(ms: number, signal: AbortSignalLike): Promise<void>;
  /** How much apart the same moment may seem to two calls, as answers take their time. */
  readonly slackMs: number;
}

/** Real time that no step of the wall clock changes. */
export const realTimer: Timer = {
  now: () => performance.now(),
  slackMs: 25,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(done, Math.min(Math.ceil(ms), LONGEST_TIMER_MS));
      const forget = onAbort(signal, () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
      function done(): void {
        forget();
        resolve();
      }
    }),
};

/** Sleeps until `moment` and never less: timers fire early, and not beyond 24 days. Rejects with the reason of `signal`. */
export async function sleepUntil(moment: number, timer: Timer, signal: AbortSignalLike): Promise<void> {
  for (let left = moment - timer.now(); left > 0; left = moment - timer.now()) {
    await timer.sleep(left, signal);
  }
}
