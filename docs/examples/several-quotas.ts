// A short and a long quota at once, on a clock that is moved by hand, as in a test.
import { MemoryStore, Throttled } from "throttled";
import { ManualClock } from "throttled/testing";

const clock = new ManualClock();
const throttle = new Throttled({ quota: "3/s; 8/h", store: new MemoryStore({ clock }) });

async function burst(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    const { limited, quotaIndex, remaining, retryAfterMs } = await throttle.limit("user:42");
    const { limit, periodMs } = throttle.quotas[quotaIndex]!;
    const quota = `${limit} in ${periodMs / 1000} s`;
    console.log(
      limited ? `limited by ${quota} for ${retryAfterMs} ms` : `passed, ${remaining} left of ${quota}`,
    );
  }
}

for (let second = 0; second < 3; second++) {
  console.log(`second ${second}`);
  await burst();
  clock.advance(1000);
}

/* Prints:
second 0
passed, 2 left of 3 in 1 s
passed, 1 left of 3 in 1 s
passed, 0 left of 3 in 1 s
limited by 3 in 1 s for 334 ms
second 1
passed, 2 left of 3 in 1 s
passed, 1 left of 3 in 1 s
passed, 0 left of 3 in 1 s
limited by 3 in 1 s for 334 ms
second 2
passed, 1 left of 8 in 3600 s
passed, 0 left of 8 in 3600 s
limited by 8 in 3600 s for 448000 ms
limited by 8 in 3600 s for 448000 ms
*/
