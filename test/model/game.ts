import type { Limiter, Store } from "../../src/index.js";
import type { ManualClock } from "../../src/testing.js";
import type { Random } from "./random.js";

/** One of the stores that are held against the model. */
export interface Side {
  readonly name: "memory" | "redis";
  /** A store for one program, in memory for so many keys. What programs before left there is under other keys. */
  open(maxSize?: number): Store;
  /** How long the server keeps the record of a key, or a semaphore; below 0 if there is none. Missing where nothing expires. */
  ttlMs?(limiter: Limiter | undefined, key: string): Promise<number>;
  close?(): Promise<void>;
}

/** Where programs are played, one after the other: a clock, and stores that go by it. */
export interface Table {
  readonly clock: ManualClock;
  readonly sides: readonly Side[];
  /** What the keys of a program begin with: no other program had it before. */
  unique(): string;
}

/** A program that is being played, on the model and on stores at once. */
export interface Play<Step> {
  /** A step that fits what happened until now. */
  next(random: Random): Step;
  /** Takes a step. @returns how the model and a store differed, as soon as that is known. */
  take(step: Step): Promise<string | undefined>;
  /** Ends the program. @returns the same of what was not known yet. */
  end(): Promise<string | undefined>;
}

/** All that there is to a program: what it is about, and what happens in it. It can be written as JSON. */
export interface Program<Setup = unknown, Step = unknown> {
  readonly setup: Setup;
  readonly steps: readonly Step[];
}

/** A kind of programs. */
export interface Game<Setup = unknown, Step = unknown> {
  setup(random: Random): Setup;
  begin(setup: Setup, table: Table): Play<Step>;
  /** Simpler variants of a step, the simplest first. */
  simpler(step: Step): Iterable<Step>;
  /** The same of what it is about, which may leave steps without anything to happen to. */
  simplerSetup?(setup: Setup): Iterable<Setup>;
}
