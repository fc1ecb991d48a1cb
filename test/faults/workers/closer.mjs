// Uses a store, closes it when it is told to, and has nothing more to do: then it must end by itself.
import { Throttled } from "throttled";
import { RedisStore } from "throttled/redis";

const [url, warm] = process.argv.slice(2);
const store = new RedisStore(url);
const throttle = new Throttled({ store, key: "key" });

// On a busy machine the first call may come too late.
const isServed = () =>
  throttle.limit().then(
    () => true,
    () => false,
  );
if (warm === "warm") while (!(await isServed()));
process.once("message", async () => {
  await Promise.allSettled(Array.from({ length: 6 }, () => throttle.limit()));
  const calls = Promise.allSettled(Array.from({ length: 6 }, () => throttle.limit()));
  const start = performance.now();
  await store.close();
  process.send({ closedMs: performance.now() - start });
  await calls;
  process.disconnect();
});
process.send("ready");
