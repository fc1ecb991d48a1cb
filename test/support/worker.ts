import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  /** What it wrote to its standard error. */
  readonly complaints: string;
}

/** A Node process of the tests' own, which talks in messages; it is gone when the block that uses it ends. */
export class Worker implements AsyncDisposable {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  readonly #process: ChildProcess;
  readonly #messages: unknown[] = [];

  /** @param file a plain script, which gets `input` as JSON in its first argument. */
  constructor(file: URL, input: unknown) {
    this.#process = fork(file, [JSON.stringify(input)], {
      stdio: ["ignore", "inherit", "pipe", "ipc"],
      execArgv: [],
    });
    this.pid = this.#process.pid!;
    this.#process.on("message", (message) => this.#messages.push(message));
    let complaints = "";
    this.#process.stderr!.on("data", (chunk: Buffer) => {
      complaints += chunk;
    });
    this.ended = once(this.#process, "close").then(([code, signal]) => ({ code, signal, complaints }));
  }

  send(message: string | object): void {
    this.#process.send(message);
  }

  /** The next message of the worker. Rejects if it ends without one. */
  async receive<T>(): Promise<T> {
    while (this.#messages.length === 0) {
      const ending = await Promise.race([once(this.#process, "message").then(() => undefined), this.ended]);
      if (ending !== undefined && this.#messages.length === 0) {
        throw new Error(`The worker ended with ${ending.code ?? ending.signal}:\n${ending.complaints}`);
      }
    }
    return this.#messages.shift() as T;
  }

  /** Ends the process as a crash would. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** Starts a worker for each input; resolves when each has said that it is ready. */
export async function startWorkers(file: URL, inputs: readonly unknown[]): Promise<Worker[]> {
  const workers = inputs.map((input) => new Worker(file, input));
  await Promise.all(workers.map((worker) => worker.receive()));
  return workers;
}
