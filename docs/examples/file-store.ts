// A store of your own that answers with promises: one file for each key, so that a restart forgets nothing.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Booking,
  type Clock,
  type Decision,
  type KeyState,
  type Limiter,
  type Store,
  StoreError,
} from "throttled";

/** Keeps keys in the files of a folder that one process uses at a time. */
export class FileStore implements Store {
  readonly name = "file";
  readonly sync = false;
  readonly clock: Clock;
  readonly #folder: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(folder: string, clock: Clock = { now: () => Date.now() }) {
    this.#folder = folder;
    this.clock = clock;
  }

  decide(
    limiter: Limiter,
    key: string,
    cost: number,
    maxWaitMs: number,
    booking?: Booking,
  ): Promise<Decision> {
    return this.#alone("decide", async () => {
      const path = this.#path(limiter, key);
      const stored = await read(path);
      const { decision, write } = limiter.decide(stored, this.clock.now(), cost, maxWaitMs, booking);
      if (write?.ttlMs === 0) await rm(path, { force: true });
      else if (write) await replace(path, write.record);
      return decision;
    });
  }

  reset(limiter: Limiter, key: string): Promise<void> {
    return this.#alone("reset", () => rm(this.#path(limiter, key), { force: true }));
  }

  async close(): Promise<void> {
    await this.#last;
  }

  /** Runs one operation after the other: nothing may come between reading a record and writing it. */
  #alone<T>(operation: string, run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run).catch((error: Error) => {
      throw new StoreError(this.name, operation, error.message);
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** Keys may hold any character, file names may not. */
  #path(limiter: Limiter, key: string): string {
    return join(this.#folder, createHash("sha256").update(`${limiter.id}:${key}`).digest("hex"));
  }
}

async function read(path: string): Promise<KeyState | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as KeyState;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A file is there as a whole or not at all, also after a crash. */
async function replace(path: string, record: KeyState): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(`${path}.new`, JSON.stringify(record));
  await rename(`${path}.new`, path);
}
