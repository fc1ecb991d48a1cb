// @ts-check
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { cpus, type } from "node:os";

const require = createRequire(import.meta.url);

/**
 * What was measured on, and when; nothing that tells whose machine it was.
 * @typedef {object} Meta
 * @property {string} date
 * @property {string} node
 * @property {string} cpu
 * @property {number} cores
 * @property {string} os
 * @property {string} [redis]
 * @property {string} ioredis
 * @property {string} throttled
 */

/** @returns {Meta} */
export function meta() {
  const cores = cpus();
  const redis = redisVersion();
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    cpu: cores[0]?.model.trim() ?? "unknown",
    cores: cores.length,
    os: `${type()} ${process.arch}`,
    ...(redis === undefined ? {} : { redis }),
    ioredis: require("ioredis/package.json").version,
    throttled: require("throttled/package.json").version,
  };
}

/** One line of all that. @param {Meta} meta */
export function metaLine({ date, node, cpu, cores, os, redis, ioredis, throttled }) {
  const server = redis === undefined ? [] : [redis, `ioredis ${ioredis}`];
  return [date, `throttled ${throttled}`, `Node ${node}`, ...server, `${cpu}, ${cores} cores`, os].join(
    " · ",
  );
}

function redisVersion() {
  try {
    const named = process.env["REDIS_SERVER_BIN"] ?? "redis-server";
    const version = execFileSync(named, ["--version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return `${/valkey/i.test(version) ? "Valkey" : "Redis"} ${/v=(\S+)/.exec(version)?.[1]}`;
  } catch {
    return undefined;
  }
}
