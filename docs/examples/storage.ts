// Values beside a limiter, over the same connection: who misses a password too often is kept out for a while.
import { randomUUID } from "node:crypto";
import { Throttled } from "throttled";
import { RedisStore } from "throttled/redis";
import { Storage } from "throttled/storage";

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379";
await using store = new RedisStore(url, { prefix: `example-${randomUUID()}` });
const attempts = new Throttled({ using: "fixed-window", quota: "3/h", store });
const lockedOut = new Storage({ store, name: "locked-out" });

async function logIn(user: string, password: string): Promise<string> {
  const since = await lockedOut.get<{ from: string }>(user);
  if (since !== undefined) return `locked out, by ${since.from}`;
  if (password === "correct horse") return "welcome";
  const { remaining } = await attempts.limit(user);
  if (remaining === 0) await lockedOut.set(user, { from: "three wrong passwords" }, { ttl: "1h" });
  return `wrong, ${remaining} attempts left`;
}

for (const password of ["hunter1", "hunter2", "hunter3", "correct horse"]) {
  console.log(await logIn("ann", password));
}
console.log(`${await lockedOut.clear()} let in again:`, await logIn("ann", "correct horse"));
await attempts.reset("ann");

/* Prints:
wrong, 2 attempts left
wrong, 1 attempts left
wrong, 0 attempts left
locked out, by three wrong passwords
1 let in again: welcome
*/
