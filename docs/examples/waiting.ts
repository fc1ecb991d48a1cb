// Calls that wait for their turn, first come, first served: nothing polls, each is woken once.
import { isLimitedError, Throttled } from "throttled";

const throttle = new Throttled({ key: "printer", using: "leaky-bucket", quota: "20/s", timeout: "1s" });
const start = performance.now();
const elapsed = (): string => `${Math.floor(performance.now() - start)} ms`;

async function print(page: number): Promise<void> {
  await throttle.acquire();
  console.log(`page ${page} after ${elapsed()}`);
}

const pages = [1, 2, 3, 4, 5].map(print);

// Its turn is further away than it may wait, so it is refused at once and costs nothing.
const hasty = await throttle.acquire("printer", { timeout: 10 }).catch((error: unknown) => error);
if (isLimitedError(hasty)) console.log(`refused after ${elapsed()}: ${hasty.message}`);

// Somebody who gives up while waiting gives the place back, too.
const signal = AbortSignal.timeout(30);
await throttle.acquire("printer", { signal }).catch(() => console.log(`gave up after ${elapsed()}`));

await Promise.all(pages);
