// @ts-check
import { fork } from "node:child_process";
import { once } from "node:events";
import { load } from "../competitors/load.mjs";

const PROCESS = new URL("../processes/http-server.mjs", import.meta.url);

/** What a server took for some requests. @typedef {{ cpuUs: number, requestsPerSecond: number }} Cost CPU time of one request */

/**
 * A server in a process of its own.
 * @typedef {object} Server
 * @property {(requests: number) => Promise<Cost>} take
 * @property {() => void} stop
 */

/** @param {import("./http-contestants.mjs").Contestant} contestant @returns {Promise<Server>} */
export async function startServer(contestant) {
  const child = fork(PROCESS);
  const ask = async (/** @type {any} */ question) => {
    const answered = once(child, "message");
    child.send(question);
    return (await answered)[0];
  };
  const { port } = await ask(contestant);
  const cpuUs = async () => (await ask("cpu")).cpuUs;
  await expectHeaders(contestant, port);
  return {
    stop: () => void child.kill(),
    async take(requests) {
      const before = await cpuUs();
      const seconds = await load(port, requests);
      return { cpuUs: ((await cpuUs()) - before) / requests, requestsPerSecond: requests / seconds };
    },
  };
}

/** A limiter that was not asked, or that says nothing, would be a quick one. @param {import("./http-contestants.mjs").Contestant} contestant @param {number} port */
async function expectHeaders({ row, limiter }, port) {
  const headers = { "x-user": "nobody", "x-forwarded-for": "192.0.2.1" };
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers });
  const told = [...response.headers.keys()].some((name) => /ratelimit/.test(name));
  if (response.status === 200 && told === (limiter !== "none")) return;
  throw new Error(
    `${row.name} answered ${response.status}, ${told ? "with" : "without"} headers of a limiter`,
  );
}
