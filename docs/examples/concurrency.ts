// At most so many at once: a block, a function, a decorator, and those who wait for their turn.
import { isLimitedError, type Lease, Semaphore } from "throttled";

const semaphore = new Semaphore({ capacity: 2, timeout: "1s" });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

// A block: the permit is given back at its end, also if it throws.
async function exportReport(name: string): Promise<void> {
  await using lease = await semaphore.acquire("export");
  console.log(`${name} begins`);
  await write(name, lease);
}

async function write(name: string, { signal }: Lease): Promise<void> {
  await pause(20);
  // Others may hold the permit if the lease was lost.
  signal.throwIfAborted();
  console.log(`${name} is written`);
}

const reports = ["a", "b", "c"].map(exportReport);
console.log(await semaphore.peek("export"));
await Promise.all(reports);

// A function: what it answers is the answer, and here it takes both permits.
console.log(await semaphore.run("export", ({ permits }) => `alone with ${permits} permits`, { permits: 2 }));

// A method or a function, each under its own name.
class Images {
  @semaphore.limit({ key: "images", timeout: 0 })
  async resize(name: string): Promise<string> {
    await pause(20);
    return `${name} is resized`;
  }
}
const images = new Images();
for (const { value, reason } of await settle([images.resize("x"), images.resize("y"), images.resize("z")])) {
  console.log(isLimitedError(reason) ? `refused, at most ${reason.result.limit} at once` : value);
}

async function settle<T>(calls: Promise<T>[]): Promise<{ value?: T; reason?: unknown }[]> {
  return Promise.allSettled(calls);
}

/* Prints:
{ capacity: 2, inUse: 2, waiting: 1 }
a begins
b begins
a is written
c begins
b is written
c is written
alone with 2 permits
x is resized
y is resized
refused, at most 2 at once
*/
