import { Breaker, OPEN } from "../../src/stores/breaker.js";
import type { World } from "./world.js";

/** Options of the breakers of a simulation. */
export interface BreakerTerms {
  readonly failures: number;
  readonly retryAfterMs: number;
}

/** What is known of a breaker by what its calls came to. */
class Known {
  failed = 0;
  lastFailureAt = 0;
  recoveries = 0;
  isTrying = false;
}

/** Looks whether breakers let calls through when they have to, and only then, until the function that it returns is called. */
export function watchBreakers(world: World, termsOf: (machine: string) => BreakerTerms): () => void {
  const { run } = Breaker.prototype;
  const all = new WeakMap<Breaker, Known>();
  Breaker.prototype.run = async function (calls, call, isFailure) {
    const known = all.get(this) ?? new Known();
    all.set(this, known);
    const { name } = world.time.machine!;
    const { failures, retryAfterMs } = termsOf(name);
    const isOpen = known.failed >= failures;
    const isLeftAlone = isOpen && (known.isTrying || world.time.now < known.lastFailureAt + retryAfterMs);
    let isTried = false;
    const watched = (): ReturnType<typeof call> => {
      isTried = true;
      return look(known, failures, calls, call, isFailure, world);
    };
    const outcome = run.call(this, calls, watched, isFailure) as ReturnType<typeof call>;
    if (isTried === isLeftAlone) {
      world.fail(`${name}: the breaker ${isTried ? "tries" : "does not try"} after ${known.failed} failures`);
    }
    try {
      return await outcome;
    } catch (error) {
      if ((error === OPEN) !== isLeftAlone)
        world.fail(`${name}: the breaker says that it is open where it is not`);
      throw error;
    }
  };
  return () => {
    Breaker.prototype.run = run;
  };
}

/** Runs a call, and takes note of what it comes to. */
async function look<T>(
  known: Known,
  failures: number,
  calls: number,
  call: () => Promise<T>,
  isFailure: (error: unknown) => boolean,
  world: World,
): Promise<T> {
  const { recoveries } = known;
  const isTrial = known.failed >= failures;
  const succeed = (): void => {
    if (known.failed >= failures) known.recoveries++;
    known.failed = 0;
  };
  if (isTrial) known.isTrying = true;
  try {
    const answer = await call();
    succeed();
    return answer;
  } catch (error) {
    if (!isFailure(error)) succeed();
    else if (recoveries === known.recoveries) {
      known.failed += calls;
      known.lastFailureAt = world.time.now;
    }
    throw error;
  } finally {
    if (isTrial) known.isTrying = false;
  }
}
