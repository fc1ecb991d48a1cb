import { Redis } from "ioredis";
import type { Certificates } from "./certificates.js";
import { freePort, launch, stopAt, tempDir } from "./redis-server.js";

/** What protects a node: TLS, a password, both or nothing. */
export interface Protection {
  readonly certificates?: Certificates | undefined;
  readonly password?: string | undefined;
}

/** The arguments of a server that keeps nothing on disk. */
export function serverArgs(port: number, dir: string, { certificates, password }: Protection = {}): string[] {
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no"];
  // A replica is in step at once instead of after five seconds, and says so every second instead of every ten.
  args.push("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1");
  if (password !== undefined) args.push("--requirepass", password, "--masterauth", password);
  return certificates === undefined ? args : [...args, ...certificates.serverArgs(port)];
}

/** A server of a topology, which can be killed, hung and brought back under its old address. */
export class ServerNode {
  readonly port: number;
  readonly #dir: string;
  readonly #args: readonly string[];
  readonly #protection: Protection;
  readonly #started: RegExp | undefined;
  #process: { readonly pid: number } | undefined;
  #admin: Redis | undefined;

  private constructor(
    port: number,
    dir: string,
    args: readonly string[],
    protection: Protection,
    started?: RegExp,
  ) {
    this.port = port;
    this.#dir = dir;
    this.#args = args;
    this.#protection = protection;
    this.#started = started;
  }

  /** A node on a free port; `args` makes its arguments of that and of a folder of its own. */
  static async start(
    args: (port: number, dir: string) => readonly string[] | Promise<readonly string[]>,
    protection: Protection = {},
    started?: RegExp,
  ): Promise<ServerNode> {
    for (let attempt = 1; ; attempt++) {
      const [port, dir] = [await freePort(), tempDir()];
      const node = new ServerNode(port, dir, await args(port, dir), protection, started);
      try {
        await node.start();
        return node;
      } catch (error) {
        // Somebody else may have taken a port that was free a moment ago.
        if (attempt === 3) throw error;
      }
    }
  }

  /** Starts it, also after `kill`. */
  async start(): Promise<void> {
    this.#process = await launch(this.#dir, this.#args, this.#started);
  }

  /** `kill -9`: its sockets are gone at once. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  /** Its sockets stay open, and nobody reads them. */
  hang(): void {
    this.#signal("SIGSTOP");
  }

  resume(): void {
    this.#signal("SIGCONT");
  }

  /** One command of an administrator. */
  async call(command: string, ...args: (string | number)[]): Promise<unknown> {
    this.#admin ??= this.#connect();
    return this.#admin.call(command, ...args);
  }

  /** `call`, of a node that may be gone or hang. */
  async callWithin(ms: number, command: string, ...args: (string | number)[]): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${command} was not answered within ${ms} ms`)), ms);
    });
    return Promise.race([this.call(command, ...args), late]).finally(() => clearTimeout(timer));
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#admin?.disconnect();
    await stopAt(this.#dir);
  }

  #connect(): Redis {
    const { certificates, password } = this.#protection;
    const admin = new Redis({
      host: "127.0.0.1",
      port: this.port,
      ...(certificates === undefined ? {} : { tls: { ca: certificates.ca } }),
      ...(password === undefined ? {} : { password }),
      enableReadyCheck: false,
      retryStrategy: () => 20,
    });
    return admin.on("error", () => {});
  }

  #signal(signal: NodeJS.Signals): void {
    process.kill(this.#process!.pid, signal);
  }
}

/** All of them; if one does not start, the others are stopped. */
export async function startAll<T extends { stop(): Promise<void> }>(
  starting: readonly Promise<T>[],
): Promise<T[]> {
  const results = await Promise.allSettled(starting);
  const started = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = results.find((result) => result.status === "rejected");
  if (failed === undefined) return started;
  await Promise.all(started.map((each) => each.stop()));
  throw failed.reason;
}

/** Waits until `holds`; fails with `what` after `ms`. */
export async function until(
  what: string,
  ms: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`Not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
