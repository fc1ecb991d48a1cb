/** The longest that a timer can run. */
export const LONGEST_DEADLINE_MS = 2 ** 31 - 1;

/** How late a timer must be to show that the event loop was held up, and how long answers then have to come in. */
const HELD_UP_MS = 20;
const GRACE_MS = 20;

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
    const due = performance.now() + ms;
    let timer = setTimeout(() => {
      // After the event loop was held up, what was sent and answered meanwhile is still to be read.
      const heldUp = performance.now() - due > HELD_UP_MS;
      if (heldUp) timer = setTimeout(pass, GRACE_MS);
      else setImmediate(pass);
    }, ms);
    call(deadline as Deadline).then(
      (answer) => {
        clearTimeout(timer);
        resolve(answer);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
