// What does a call that answers at once cost in memory? As a ratio of counting in a Map, in interleaved rounds of one
// process: the machine's mood falls on both alike. Run it with `npm run build && node benchmarks/memory.mjs`.
import { Throttled } from "throttled";

const ROUNDS = 15;
const CALLS = 200_000;
const keys = Array.from({ length: 1_000 }, (_, i) => `user:${i}:${(i * 7919) % 1_000}`);
const algorithms = ["fixed-window", "sliding-window", "token-bucket", "leaky-bucket", "gcra"];

const counts = new Map();
let sink = 0;

/** @param {(key: string) => number} call @returns {number} nanoseconds of one call */
function time(call) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < CALLS; i++) sink += call(keys[(i * 7) % keys.length]);
  return Number(process.hrtime.bigint() - start) / CALLS;
}

/** @param {string} key */
function count(key) {
  const next = (counts.get(key) ?? 0) + 1;
  counts.set(key, next);
  return next;
}

/** @param {number[]} numbers */
function median(numbers) {
  return numbers.sort((one, other) => one - other)[Math.floor(numbers.length / 2)];
}

console.log(
  `Node ${process.version}, 1,000 keys, median of ${ROUNDS} rounds of ${CALLS.toLocaleString("en")} calls`,
);
for (const using of algorithms) {
  const limiter = new Throttled({ using, quota: "1000000/w" });
  const call = (/** @type {string} */ key) => limiter.limitSync(key).remaining;
  const ratios = [];
  const costs = [];
  for (let round = 0; round < ROUNDS + 3; round++) {
    const before = time(count);
    const cost = time(call);
    if (round < 3) continue;
    costs.push(cost);
    ratios.push(cost / ((before + time(count)) / 2));
  }
  console.log(
    `${using.padEnd(15)} ${median(costs).toFixed(0).padStart(5)} ns   ${median(ratios).toFixed(1).padStart(5)} x Map`,
  );
}
if (sink === 0) throw new Error("nothing was measured");
