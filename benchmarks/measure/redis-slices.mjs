// @ts-check
import { median } from "./statistics.mjs";

/** @typedef {import("ioredis").Redis} Redis */

/**
 * Whoever decides by asking a server.
 * @typedef {object} Contestant
 * @property {import("./question.mjs").Row} row the first of all is the base
 * @property {(key: string) => Promise<unknown>} decide rejects with anything but an Error to refuse
 */

/**
 * @typedef {object} Load
 * @property {readonly string[]} order of the keys; a power of two of them
 * @property {number} inFlight calls at once, each followed by the next as soon as it is answered
 * @property {number} rounds
 * @property {number} sliceMs
 * @property {"p50Us" | "opsPerSecond"} compare
 */

/** @typedef {{ p50Us: number, opsPerSecond: number, serverUs: number }} Slice */

/** @typedef {Slice & { ratio: number }} Reached medians of all rounds */

/**
 * Gives each contestant a short slice of every round, in another order each time, and the base one before and after each of
 * them: a ratio is of a slice and the mean of its two neighbours, as the machine is never equally fast for long.
 * @param {readonly Contestant[]} contestants the base first
 * @param {Redis} control a client of nobody else's, which asks the server what CPU time it took
 * @param {Load} load
 * @returns {Promise<Reached[]>} in the order of the contestants
 */
export async function interleavedSlices([base, ...others], control, load) {
  if (base === undefined) throw new Error("There is nobody to compare with");
  const idle = await idleShare(control);
  const take = (/** @type {Contestant} */ each) => slice(each, control, idle, load);
  for (const each of [base, ...others]) await take(each);
  const bases = [await take(base)];
  /** @type {Reached[][]} */
  const taken = others.map(() => []);
  for (let round = 0; round < load.rounds; round++) {
    for (let turn = 0; turn < others.length; turn++) {
      const i = (turn + round) % others.length;
      const before = /** @type {Slice} */ (bases.at(-1));
      const own = await take(/** @type {Contestant} */ (others[i]));
      const after = await take(base);
      bases.push(after);
      const ratio = own[load.compare] / ((before[load.compare] + after[load.compare]) / 2);
      taken[i]?.push({ ...own, ratio });
    }
  }
  return [bases.map((each) => ({ ...each, ratio: 1 })), ...taken].map(medians);
}

/** @param {Reached[]} slices @returns {Reached} */
function medians(slices) {
  const of = (/** @type {keyof Reached} */ figure) => median(slices.map((each) => each[figure]));
  return {
    ratio: of("ratio"),
    p50Us: of("p50Us"),
    opsPerSecond: of("opsPerSecond"),
    serverUs: of("serverUs"),
  };
}

/**
 * @param {Contestant} contestant
 * @param {Redis} control
 * @param {number} idle
 * @param {Load} load
 * @returns {Promise<Slice>}
 */
async function slice({ decide }, control, idle, { order, inFlight, sliceMs }) {
  const last = order.length - 1;
  const cpuBefore = await cpuMs(control);
  // Every slice begins somewhere else, so that all keys get their turn.
  let at = Math.floor(Math.random() * order.length);
  /** @type {number[]} */
  const latencies = [];
  const start = performance.now();
  const worker = async () => {
    for (let now = performance.now(); now - start < sliceMs; ) {
      at = (at + 1) & last;
      await settled(decide(/** @type {string} */ (order[at])));
      const then = performance.now();
      latencies.push(then - now);
      now = then;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const elapsed = performance.now() - start;
  const serverMs = (await cpuMs(control)) - cpuBefore - idle * elapsed;
  return {
    p50Us: median(latencies) * 1_000,
    opsPerSecond: (latencies.length / elapsed) * 1_000,
    serverUs: Math.max(0, (serverMs / latencies.length) * 1_000),
  };
}

/** @param {Promise<unknown>} decision */
async function settled(decision) {
  try {
    await decision;
  } catch (refusal) {
    if (refusal instanceof Error) throw refusal;
  }
}

/** Lets every key be known before anything counts. @param {readonly Contestant[]} contestants @param {readonly string[]} keys */
export async function touchAll(contestants, keys) {
  for (const { decide } of contestants) {
    for (let at = 0; at < keys.length; at += 256) {
      await Promise.all(keys.slice(at, at + 256).map((key) => settled(decide(key))));
    }
  }
}

/** The part of a CPU that the server takes while nobody asks it anything. @param {Redis} control */
async function idleShare(control) {
  const [before, start] = [await cpuMs(control), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, 200));
  return ((await cpuMs(control)) - before) / (performance.now() - start);
}

/** @param {Redis} control */
async function cpuMs(control) {
  const info = await control.info("cpu");
  const of = (/** @type {string} */ name) => Number(new RegExp(`^${name}:(.+)`, "m").exec(info)?.[1]);
  return (of("used_cpu_sys") + of("used_cpu_user")) * 1_000;
}
