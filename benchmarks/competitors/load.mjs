// @ts-check
// @ts-expect-error It has no types of its own.
import autocannon from "autocannon";

const CONNECTIONS = 10;
const KEYS_OF_EACH = 100;

/** Sends so many requests to `/`, over ten connections with a hundred keys each. @param {number} port @param {number} requests @returns {Promise<number>} seconds */
export async function load(port, requests) {
  let clients = 0;
  const start = performance.now();
  const result = await autocannon({
    url: `http://127.0.0.1:${port}/`,
    connections: CONNECTIONS,
    amount: requests,
    // It looks so often whether it is done.
    sampleInt: 10,
    setupClient: (/** @type {any} */ client) => client.setRequests(requestsOf(clients++)),
  });
  const seconds = (performance.now() - start) / 1_000;
  if (result["2xx"] === requests) return seconds;
  throw new Error(`Expected ${requests} requests to pass, got ${result["2xx"]}`);
}

/** @param {number} client */
function requestsOf(client) {
  return Array.from({ length: KEYS_OF_EACH }, (_, i) => ({
    headers: { "x-user": `user:${client}:${i}`, "x-forwarded-for": `198.51.${client}.${i}` },
  }));
}
