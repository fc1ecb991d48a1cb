/** The longest that `setTimeout` can wait; beyond it fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Where a wait reads the time and sleeps. */
export interface Timer {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Real time that no step of the wall clock changes. */
export const realTimer: Timer = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(done, Math.min(Math.ceil(ms), LONGEST_TIMER_MS));
      signal.addEventListener("abort", aborted, { once: true });
      function done(): void {
        signal.removeEventListener("abort", aborted);
        resolve();
      }
      function aborted(): void {
        clearTimeout(timer);
        reject(signal.reason);
      }
    }),
};

/** Sleeps until `moment` and never less: timers fire early, and not beyond 24 days. Rejects with the reason of `signal`. */
export async function sleepUntil(moment: number, timer: Timer, signal: AbortSignal): Promise<void> {
  for (let left = moment - timer.now(); left > 0; left = moment - timer.now()) {
    await timer.sleep(left, signal);
  }
}
