// @ts-check
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HOW_TO_GET_ONE =
  "No Redis server found: install redis-server or valkey-server (Debian: apt-get install redis-server, macOS: brew install redis), or name one in REDIS_SERVER_BIN.";

/**
 * Starts a Redis server of the demo's own: a free loopback port, a temp folder, nothing of it left after `stop`.
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startRedis() {
  const bin = redisServerBin();
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), "throttled-demo-"));
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no"];
  const server = spawn(bin, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(server, "exit").catch(() => {});
  const clear = () => {
    server.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  };
  process.once("exit", clear);
  const stop = async () => {
    server.kill("SIGKILL");
    await ended;
    clear();
    process.removeListener("exit", clear);
  };
  try {
    await ready(server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `redis://127.0.0.1:${port}`, stop };
}

function redisServerBin() {
  const named = process.env["REDIS_SERVER_BIN"];
  const found = (named === undefined ? ["redis-server", "valkey-server"] : [named]).find(runs);
  if (found === undefined) throw new Error(HOW_TO_GET_ONE);
  return found;
}

/** @param {string} bin */
function runs(bin) {
  try {
    execFileSync(bin, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (probe.address());
  probe.close();
  return port;
}

/** @param {import("node:child_process").ChildProcessByStdio<null, import("node:stream").Readable, null>} server */
function ready(server) {
  return new Promise((resolve, reject) => {
    let log = "";
    server.stdout.on("data", (chunk) => {
      log += chunk;
      if (/ready to accept connections/i.test(log)) resolve(undefined);
    });
    server.once("error", reject);
    server.once("exit", () => reject(new Error(`The Redis server ended instead of starting:\n${log}`)));
  });
}
