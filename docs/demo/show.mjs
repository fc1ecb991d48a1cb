// @ts-check
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { judge } from "./bounds.mjs";
import { Chart } from "./chart.mjs";
import { PER_SECOND } from "./scenes.mjs";
import { draw, print } from "./screen.mjs";
import { drive, nextSecond } from "./traffic.mjs";

/** @typedef {import("./scenes.mjs").Scene} Scene */
/** @typedef {import("./traffic.mjs").Answer} Answer */
/** @typedef {{ redisUrl: string | undefined, seconds: number, signal: AbortSignal }} Run */

const FRAME_MS = 100;
/** So long before the last second is over the clients stop, or another window would begin with a few of them. */
const LAST_MS = 50;

/**
 * One algorithm: starts its servers, two if there is a Redis to share, draws what they let through, and checks it.
 * @param {Scene} scene
 * @param {Run} run
 * @returns {Promise<import("./table.mjs").Verdict>}
 */
export async function show(scene, run) {
  const { parseQuota } = await import("throttled");
  const quota = /** @type {import("throttled").Quota} */ (parseQuota(scene.quota)[0]);
  const { using, timeoutMs } = scene;
  const prefix = `throttled-demo-${randomUUID()}`;
  const config = { using, timeoutMs, quota: scene.quota, redisUrl: run.redisUrl, prefix };
  const servers = Array.from({ length: run.redisUrl === undefined ? 1 : 2 }, () => startServer(config));
  try {
    const origins = await Promise.all(servers.map(({ origin }) => origin));
    const answers = await watch(scene, origins, run);
    const passed = answers.filter(({ limited }) => !limited);
    return {
      scene,
      passed: servers.map((_, i) => passed.filter(({ server }) => server === i).length),
      limited: answers.length - passed.length,
      ...judge(using, { ...quota, timeoutMs }, answers),
    };
  } finally {
    await Promise.all(servers.map(({ stop }) => stop()));
  }
}

/**
 * Sends the traffic and draws what comes back.
 * @param {Scene} scene
 * @param {string[]} origins
 * @param {Run} run
 */
async function watch(scene, origins, { seconds, signal }) {
  const chart = new Chart({ servers: origins.length, seconds, start: await nextSecond(origins, signal) });
  /** @type {Answer[]} */
  const answers = [];
  const frames = setInterval(() => draw(chart.lines(scene)), FRAME_MS);
  try {
    await drive({
      origins,
      requests: PER_SECOND * seconds,
      ms: seconds * 1000 - LAST_MS,
      signal,
      onAnswer: (answer) => {
        answers.push(answer);
        chart.add(answer);
      },
    });
  } finally {
    clearInterval(frames);
  }
  print([...chart.lines(scene), ""]);
  return answers;
}

/**
 * A server process: where it listens, and how to end it.
 * @param {import("./server.mjs").Config} config
 * @returns {{ origin: Promise<string>, stop: () => Promise<void> }}
 */
function startServer(config) {
  const server = fork(new URL("server.mjs", import.meta.url));
  const ended = once(server, "exit").catch(() => {});
  /** @type {Promise<string>} */
  const origin = new Promise((resolve, reject) => {
    server.once("message", (message) => {
      const { origin, problem } = /** @type {import("./server.mjs").Started} */ (message);
      if (origin === undefined) reject(new Error(problem));
      else resolve(origin);
    });
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`A server ended with ${code} instead of starting`)));
  });
  // The first of two that fail is told; the other must not go unhandled.
  origin.catch(() => {});
  server.send(config);
  const stop = async () => {
    server.kill("SIGKILL");
    await ended;
  };
  return { origin, stop };
}
