/** The longest that a timer can run. */
export const LONGEST_DEADLINE_MS = 2 ** 31 - 1;

/** Why a call has no answer. */
export const LATE = Symbol("late");

/** What a call knows of its deadline: one that has passed is answered already, and must not do anything any more. */
export interface Deadline {
  readonly passed: boolean;
  /** What to do when it passes. */
  onPass?: () => void;
}

/** The answer of `call`, or a rejection with `LATE` once `ms` milliseconds have passed; what comes later is ignored. */
export function withDeadline<T>(ms: number, call: (deadline: Deadline) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const deadline = { passed: false, onPass: undefined as (() => void) | undefined };
    const pass = (): void => {
      deadline.passed = true;
      deadline.onPass?.();
      reject(LATE);
    };
    // After the event loop was held up, answers that did arrive in time are read before this says that they are late.
    const timer = setTimeout(() => setImmediate(pass), ms);
    call(deadline as Deadline)
      .finally(() => clearTimeout(timer))
      .then(resolve, reject);
  });
}
