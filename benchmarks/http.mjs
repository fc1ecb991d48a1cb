// @ts-check
// What does middleware add to a request, over a real server of each framework?
import { contestantsOf } from "./measure/http-contestants.mjs";
import { startServer } from "./measure/http-load.mjs";
import { median, rounded } from "./measure/statistics.mjs";

/** @typedef {import("./measure/question.mjs").Row} Row */
/** @typedef {import("./measure/http-contestants.mjs").Contestant} Contestant */
/** @typedef {import("./measure/http-load.mjs").Server} Server */
/** @typedef {import("./measure/http-load.mjs").Cost} Cost */

export const title = "What does middleware add to a request?";

const LOADS = [
  { id: "express-header", title: "Express, key from a header", framework: "express", key: "header" },
  { id: "express-address", title: "Express, address behind a proxy", framework: "express", key: "address" },
  { id: "fastify-header", title: "Fastify, key from a header", framework: "fastify", key: "header" },
  { id: "fastify-address", title: "Fastify, address behind a proxy", framework: "fastify", key: "address" },
  { id: "hono-header", title: "Hono, key from a header", framework: "hono", key: "header" },
];

const WARM_UP_REQUESTS = 10_000;
const REQUESTS_IN_A_SLICE = 500;
/** What a limiter adds is little beside what a request costs, and what the machine does besides. */
const SLICES_IN_A_ROUND = 3;

/** @param {import("./measure/question.mjs").Plan} plan @returns {Promise<import("./measure/question.mjs").Group[]>} */
export async function measure(plan) {
  const workloads = [];
  for (const { id, title, framework, key } of LOADS.filter((load) => plan.wants(load.id))) {
    const contestants = contestantsOf(/** @type {any} */ (framework), /** @type {any} */ (key));
    const rows = rowsOf(contestants, await interleaved(contestants, plan.rounds * SLICES_IN_A_ROUND));
    for (const { name, addedUs } of rows) plan.note(`${title}: ${name} ${addedUs} µs`);
    workloads.push({ id, title, rows });
  }
  return [
    {
      id: "http",
      title: "CPU time of the server that a limiter adds to a request",
      figure: "addedUs",
      unit: "µs",
      better: "less",
      details: ["ofPeer", "throughput"],
      workloads,
    },
  ];
}

/** A slice, in times of the mean of the bare server's before and after. @typedef {{ cpu: number, throughput: number }} Ratios */

/**
 * Loads one after the other in short slices, in another order each round, and the bare server before and after each.
 * @param {readonly Contestant[]} contestants the bare server first
 * @param {number} rounds
 * @returns {Promise<{ bareUs: number, slices: Ratios[][] }>} CPU time of a request to the bare server; those of the others, each
 */
async function interleaved(contestants, rounds) {
  const servers = [];
  try {
    for (const contestant of contestants) servers.push(await startServer(contestant));
    for (const server of servers) await server.take(WARM_UP_REQUESTS);
    const [bare, ...others] = /** @type {[Server, ...Server[]]} */ (servers);
    /** @type {Ratios[][]} */
    const slices = others.map(() => []);
    const bares = [await bare.take(REQUESTS_IN_A_SLICE)];
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < others.length; turn++) {
        const i = (turn + round) % others.length;
        const own = await /** @type {Server} */ (others[i]).take(REQUESTS_IN_A_SLICE);
        bares.push(await bare.take(REQUESTS_IN_A_SLICE));
        slices[i]?.push(ratios(own, bares.slice(-2)));
      }
    }
    return { bareUs: median(bares.map(({ cpuUs }) => cpuUs)), slices };
  } finally {
    for (const server of servers) server.stop();
  }
}

/** @param {Cost} own @param {readonly Cost[]} bares @returns {Ratios} */
function ratios(own, bares) {
  const mean = (/** @type {keyof Cost} */ figure) =>
    bares.reduce((sum, each) => sum + each[figure], 0) / bares.length;
  return {
    cpu: own.cpuUs / mean("cpuUs"),
    throughput: own.requestsPerSecond / mean("requestsPerSecond"),
  };
}

/** Ours are compared with the quickest of the peer's. @param {readonly Contestant[]} contestants @param {{ bareUs: number, slices: Ratios[][] }} measured @returns {Row[]} */
function rowsOf([bare, ...others], { bareUs, slices }) {
  const medians = slices.map((all) => ({
    addedUs: rounded(bareUs * (median(all.map(({ cpu }) => cpu)) - 1)),
    throughput: rounded(median(all.map(({ throughput }) => throughput))),
  }));
  const peerUs = Math.min(...medians.flatMap(({ addedUs }, i) => (others[i]?.row.ours ? [] : [addedUs])));
  const rows = others.map(({ row }, i) => {
    const reached = /** @type {{ addedUs: number, throughput: number }} */ (medians[i]);
    return { ...row, ...reached, ...(row.ours && { ofPeer: rounded(reached.addedUs / peerUs) }) };
  });
  return [{ .../** @type {Contestant} */ (bare).row, addedUs: 0, throughput: 1 }, ...rows];
}
