import { Limiter } from "../../src/algorithms/limiter.js";
import stateLua from "../../src/semaphore/state.lua";
import { replyError } from "../../src/stores/redis/connection.js";
import { scriptOf } from "../../src/stores/redis/limiter-script.js";
import { scriptFrom } from "../../src/stores/redis/script.js";
import { runLimiterScript, type Texts } from "./limiter-emulation.js";
import { runSemaphoreScript, type SemaphoreEntry } from "./semaphore-emulation.js";

/** A command as a client sends it. */
export interface Command {
  readonly name: "evalsha" | "eval" | "del" | "dbsize";
  /** The digest of a script or, for `eval`, all of it. */
  readonly script?: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

interface Entry {
  readonly value: string | SemaphoreEntry;
  readonly expiresAt: number;
}

/** The script of semaphores. */
export const SEMAPHORE_SCRIPT = scriptFrom(stateLua);

/** Every script that is emulated. */
export const SCRIPTS = [scriptOf(new Limiter("gcra", "1/s").algorithm), SEMAPHORE_SCRIPT];
const EPOCH = 1_700_000_000_000;

/** A server whose scripts mean what those of the store do; it can lose its clock, its scripts, and what it was told last. */
export class SimulatedServer {
  /** What the server answers to everything while it can't serve, e.g. `"LOADING …"`. */
  refusal: string | undefined;
  readonly #time: () => number;
  readonly #listeners = new Set<(channel: string, message: string) => void>();
  readonly #entries = new Map<string, Entry>();
  readonly #loaded = new Set<string>();
  /** How to take back each write, the latest last. */
  readonly #writes: (() => void)[] = [];
  #aheadMs = EPOCH;

  constructor(time: () => number) {
    this.#time = time;
  }

  /** Whole milliseconds since the epoch by its own clock. */
  get now(): number {
    return Math.floor(this.#time()) + this.#aheadMs;
  }

  /** When, by the time of the simulation, its clock shows a moment. */
  timeOf(moment: number): number {
    return moment - this.#aheadMs;
  }

  /** Sets its clock. */
  setAhead(ms: number): void {
    this.#aheadMs += ms;
  }

  loadScripts(): void {
    for (const { sha } of SCRIPTS) this.#loaded.add(sha);
  }

  flushScripts(): void {
    this.#loaded.clear();
  }

  /** Another server takes over that has not heard of so many writes, nor of scripts, nor of anybody who listens. */
  failOver(lostWrites: number): void {
    for (let i = 0; i < lostWrites; i++) this.#writes.pop()?.();
    this.#listeners.clear();
    this.flushScripts();
  }

  /** Tells `listener` of every message until the function that it returns is called. */
  listen(listener: (channel: string, message: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The record of a limiter, or the state of a semaphore. */
  find(key: string): string | SemaphoreEntry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.expiresAt > this.now ? entry.value : undefined;
  }

  /** The same even if it has expired by now. */
  remains(key: string): string | SemaphoreEntry | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Carries a command out. @throws what a client makes of an error of the server */
  execute({ name, script, keys, args }: Command): unknown {
    if (this.refusal !== undefined) throw replyError(this.refusal);
    if (name === "dbsize") return this.#entries.size;
    if (name === "del") {
      const existed = this.find(keys[0]!) !== undefined;
      if (existed) this.#write(keys[0]!, undefined);
      return existed ? 1 : 0;
    }
    const known = SCRIPTS.find(({ sha, source }) => script === (name === "eval" ? source : sha));
    if (known === undefined) throw new Error("the server was sent a script that it does not emulate");
    if (name === "eval") this.#loaded.add(known.sha);
    else if (!this.#loaded.has(known.sha)) throw replyError("NOSCRIPT No matching script. Please use EVAL.");
    if (known === SEMAPHORE_SCRIPT) return this.#arrange(keys[0]!, args);
    return runLimiterScript(this.#texts, keys, args, this.now);
  }

  readonly #texts: Texts = {
    get: (key) => this.find(key) as string | undefined,
    set: (key, value, ttlMs) => this.#write(key, { value, expiresAt: this.now + ttlMs }),
    delete: (key) => this.#write(key, undefined),
  };

  #arrange(key: string, args: readonly string[]): unknown {
    const { reply, write, published } = runSemaphoreScript(this.find(key) as SemaphoreEntry, args, this.now);
    for (const { channel, message } of published) {
      for (const listener of this.#listeners) listener(channel, message);
    }
    if (write !== undefined) this.#write(key, { value: write.entry, expiresAt: this.now + write.ttlMs });
    return reply;
  }

  #write(key: string, entry: Entry | undefined): void {
    const before = this.#entries.get(key);
    const put = (each: Entry | undefined): void => {
      if (each === undefined) this.#entries.delete(key);
      else this.#entries.set(key, each);
    };
    put(entry);
    this.#writes.push(() => put(before));
  }
}
