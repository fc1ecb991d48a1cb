// @ts-check
import { setTimeout as sleep } from "node:timers/promises";
import { Pool, request } from "undici";

/**
 * What one request was told. The server let it through or refused it between `from` and `to`, by the clock of its store.
 * @typedef {{ limited: boolean, from: number, to: number, server: number }} Answer
 */

/** More than ever wait at once, so that the load does not depend on the answers. */
const CONNECTIONS = 128;

/**
 * Sends `requests` evenly over `ms` milliseconds, to one server or another, without waiting for answers first.
 * @param {{ origins: string[], requests: number, ms: number, signal: AbortSignal, onAnswer: (answer: Answer) => void }} load
 */
export async function drive({ origins, requests, ms, signal, onAnswer }) {
  const pools = origins.map((origin) => new Pool(origin, { connections: CONNECTIONS / origins.length }));
  /** @type {unknown} */
  let failure;
  /** @type {Promise<void>[]} */
  const flying = [];
  try {
    const start = performance.now();
    while (flying.length < requests && failure === undefined) {
      const due = Math.ceil(((performance.now() - start) / ms) * requests);
      while (flying.length < Math.min(due, requests)) {
        // As a load balancer does; strict turns would beat against the pace of the quota.
        const server = Math.floor(Math.random() * pools.length);
        const sent = ask(/** @type {Pool} */ (pools[server]), server, signal);
        flying.push(
          sent.then(onAnswer, (error) => {
            failure ??= error;
          }),
        );
      }
      await sleep(1, undefined, { signal });
    }
    await Promise.all(flying);
  } finally {
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
  if (failure !== undefined) throw failure;
}

/**
 * @param {Pool} pool
 * @param {number} server
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
async function ask(pool, server, signal) {
  const { statusCode, body } = await pool.request({ path: "/", method: "GET", signal });
  if (statusCode !== 200 && statusCode !== 429) {
    throw new Error(`The server answered ${statusCode}: ${await body.text()}`);
  }
  const { from, to } = /** @type {{ from: number, to: number }} */ (await body.json());
  return { limited: statusCode === 429, from, to, server };
}

/**
 * Waits until a second begins by the clock of the store, and returns that moment: windows are aligned to it.
 * @param {string[]} origins
 * @param {AbortSignal} signal
 */
export async function nextSecond(origins, signal) {
  // Each is asked, as a server's first answer is slow.
  const [now = 0] = await Promise.all(
    origins.map(async (origin) => {
      const { body } = await request(`${origin}/clock`, { signal });
      return Number(await body.text());
    }),
  );
  const second = Math.ceil((now + 1) / 1000) * 1000;
  // A little late rather than early: the window before should see nothing of it.
  await sleep(second - now + 10, undefined, { signal });
  return second;
}
