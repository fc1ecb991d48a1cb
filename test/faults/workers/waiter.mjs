// Books places on a key and waits for them; it says how many it has, and is not heard of again.
import { Throttled } from "throttled";
import { RedisStore } from "throttled/redis";

const [url, prefix, quota, places] = process.argv.slice(2);
const store = new RedisStore(url, { prefix, deadline: "5s" });
const throttle = new Throttled({ store, key: "key", quota });

await throttle.peek();
const decide = store.decide.bind(store);
let booked = 0;
store.decide = async (...args) => {
  const decision = await decide(...args);
  // On a slow machine the first of them may come so late that its moment is now.
  if (!decision.limited && ++booked === Number(places)) process.send("waiting");
  return decision;
};
for (let i = 0; i < Number(places); i++) throttle.limit("key", { timeout: "1h" });
