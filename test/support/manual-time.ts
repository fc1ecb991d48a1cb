import type { ManualClock } from "../../src/testing.js";

/** Lets everything happen that does not wait for time. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets `ms` milliseconds pass one by one, and all that happens in each of them happen. */
export async function pass(clock: ManualClock, ms: number): Promise<void> {
  await turn();
  for (let passed = 0; passed < ms; passed++) {
    clock.advance(1);
    await turn();
  }
}
