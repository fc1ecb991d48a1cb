/** Why a call has no answer. */
export const LATE = Symbol("late");

/** The answer of `call`, or a rejection with `LATE` once `ms` milliseconds have passed; what comes later is ignored. */
export function withDeadline<T>(ms: number, call: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // After the event loop was held up, answers that did arrive in time are read before this says that they are late.
    const timer = setTimeout(() => setImmediate(reject, LATE), ms);
    call()
      .finally(() => clearTimeout(timer))
      .then(resolve, reject);
  });
}
