import { afterAll, beforeEach } from "vitest";

/**
 * What the tests of a suite share: made before the first of them, and anew before one that is run again, which would find it
 * as its failure left it.
 */
export function shared<T>(make: () => Promise<T>, stop: (made: T) => unknown, timeoutMs?: number): () => T {
  let made: { readonly it: T } | undefined;
  const clear = async (): Promise<void> => {
    const last = made;
    made = undefined;
    if (last !== undefined) await stop(last.it);
  };
  beforeEach(async ({ task }) => {
    if (task.result?.retryCount) await clear();
    made ??= { it: await make() };
  }, timeoutMs);
  afterAll(clear);
  return () => made!.it;
}
