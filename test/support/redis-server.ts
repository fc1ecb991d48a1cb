import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A Redis server of the tests' own: a free loopback port, a temp folder, gone with `stop`. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

const HOW_TO_INSTALL =
  "No Redis server found: install redis-server or valkey-server (Debian: apt-get install redis-server, macOS: brew install redis), or name one in REDIS_SERVER_BIN.";

/** The server program of this machine; on Debian and Ubuntu it is installed where root may do so. @throws Error that says how to get one. */
export function redisServerBin(): string {
  const named = process.env["REDIS_SERVER_BIN"];
  if (named !== undefined) {
    if (runs(named, "--version")) return named;
    throw new Error(`REDIS_SERVER_BIN does not name a program that runs: ${named}`);
  }
  const found = ["redis-server", "valkey-server"].find((bin) => runs(bin, "--version"));
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && runs("apt-get", "--version")) {
    console.log("No Redis server found: installing redis-server with apt-get …");
    const install = ["install", "-y", "-qq", "--no-install-recommends", "redis-server"];
    for (const args of [["update", "-qq"], install]) {
      execFileSync("apt-get", args, {
        stdio: "ignore",
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      });
    }
    if (runs("redis-server", "--version")) return "redis-server";
  }
  throw new Error(HOW_TO_INSTALL);
}

function runs(bin: string, argument: string): boolean {
  try {
    execFileSync(bin, [argument], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Asked for once: it holds up everything that goes on in this process. */
let bin: string | undefined;

/** None of them outlives this process, whatever it ends with. */
const running = new Map<ChildProcess, string>();
process.once("exit", () => {
  for (const server of running.keys()) server.kill("SIGKILL");
});

/** Starts a server that keeps nothing on disk; resolves when it takes connections. */
export async function startRedis(...options: string[]): Promise<RedisServer> {
  const dir = tempDir();
  const port = await freePort();
  const common = ["--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no"];
  const server = await launch(dir, ["--port", `${port}`, ...common, ...options]);
  return { ...server, url: `redis://127.0.0.1:${port}`, port };
}

/** A folder for one server, which `launch` deletes with it. */
export function tempDir(): string {
  return mkdtempSync(join(tmpdir(), "throttled-redis-"));
}

/** Starts the server program with any arguments; resolves when it logs `started`. The folder goes with `stop`. */
export async function launch(
  dir: string,
  args: readonly string[],
  started = /ready to accept connections/i,
): Promise<{ pid: number; stop(): Promise<void> }> {
  bin ??= redisServerBin();
  const server = spawn(bin, args, { stdio: ["ignore", "pipe", "pipe"] });
  running.set(server, dir);
  const stop = (): Promise<void> => stopAt(dir);
  try {
    await ready(server, started);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: server.pid!, stop };
}

/** Stops every server of a folder, also one that is still starting, and deletes the folder. */
export async function stopAt(dir: string): Promise<void> {
  for (const [server, at] of running) {
    if (at !== dir) continue;
    await ended(server);
    running.delete(server);
  }
  rmSync(dir, { recursive: true, force: true });
}

/** A loopback port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

function ready(server: ChildProcess, started: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = "";
    const read = (chunk: Buffer): void => {
      log += chunk;
      if (started.test(log)) resolve();
    };
    server.stdout!.on("data", read);
    server.stderr!.on("data", read);
    server.once("error", reject);
    server.once("exit", (code) =>
      reject(new Error(`The Redis server ended with ${code} instead of starting:\n${log}`)),
    );
    setTimeout(() => reject(new Error(`The Redis server did not start in 10 s:\n${log}`)), 10_000).unref();
  });
}

function ended(server: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) return resolve();
    server.once("exit", () => resolve());
    server.kill("SIGKILL");
  });
}
