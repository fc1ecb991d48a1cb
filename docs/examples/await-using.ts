// A budget of tokens for a language model: what a call costs is known only when it is done.
import { Throttled } from "throttled";

const throttle = new Throttled({ key: "model", quota: "10000/d" });

async function complete(prompt: string): Promise<string> {
  await using permit = await throttle.acquire("model", { cost: 4000, timeout: "2s" });
  console.log(`started, ${permit.remaining} left`);
  const answer = { text: prompt.toUpperCase(), tokens: 1200 };
  await permit.settle(answer.tokens);
  return answer.text;
}

console.log(await complete("hello"));
console.log(`settled, ${(await throttle.peek()).remaining} left`);

// Nothing happened, so nothing is charged: the permit is given back.
{
  await using permit = await throttle.acquire("model", 4000);
  await permit.refund();
}
console.log(`refunded, ${(await throttle.peek()).remaining} left`);

// `run` does the same for a function, and gives the cost of a call that throws back if asked to.
const failed = throttle.run(() => Promise.reject(new Error("no answer")), { cost: 500, refundOnError: true });
console.log(await failed.catch((error: Error) => error.message), (await throttle.peek()).remaining);

/* Prints:
started, 6000 left
HELLO
settled, 8800 left
refunded, 8800 left
no answer 8800
*/
