// Why a lease needs a fencing token: somebody who stands still writes after another has taken its place.
import { MemoryStore, Semaphore } from "throttled";
import { ManualClock } from "throttled/testing";

/** What is protected. It keeps the highest token that it has seen, and turns away writes with a lower one. */
class Ledger {
  #token = 0;

  write(entry: string, token: number): void {
    if (token < this.#token) {
      console.log(`${entry}: turned away`);
      return;
    }
    this.#token = token;
    console.log(`${entry}: written`);
  }
}

const ledger = new Ledger();
const clock = new ManualClock();
const semaphore = new Semaphore({ capacity: 1, lease: "30s", store: new MemoryStore({ clock }) });

const slow = semaphore.acquireSync("ledger");
ledger.write("slow, in time", slow.token);

// It looks whether it still holds the permit, and it does. Then it stands still for a minute, as in a long garbage
// collection, or as the machine is suspended.
if (!slow.signal.aborted) {
  clock.advance(60_000);

  // Its lease is over, so somebody else holds the permit now.
  const quick = semaphore.acquireSync("ledger");
  ledger.write("quick", quick.token);

  // It goes on where it stood still, and knows of nothing. Only the token stops it.
  ledger.write("slow, too late", slow.token);
  quick[Symbol.dispose]();
}

/* Prints:
slow, in time: written
quick: written
slow, too late: turned away
*/
