import type { Outcome } from "./network.js";
import { type Command, SEMAPHORE_SCRIPT } from "./simulated-server.js";

/** Puts short names in place of those that are random or others in each process, so that traces of a seed are alike. */
export class Names {
  readonly #owners = new Map<string, string>();
  readonly #places = new Map<string, string>();

  /** What a server did, to be read. */
  tell({ name, script, keys, args }: Command, outcome: Outcome): string {
    const isSemaphore = script === SEMAPHORE_SCRIPT.sha || script === SEMAPHORE_SCRIPT.source;
    const said = isSemaphore ? args.slice(3).map((word) => this.#short(word)) : args;
    const reply =
      "error" in outcome
        ? [String(outcome.error)]
        : [outcome.value].flat().map((each) => this.#short(String(each)));
    return `    server ${name} ${keys.join(" ")} | ${said.join(" | ")} -> ${reply.join(" ").replaceAll("\n", " | ")}`;
  }

  /** "wait 1/5000/owner/process-17" as "wait 1/5000/A#1" */
  #short(word: string): string {
    return word.replace(/([0-9a-f]{16})\/(\S+)/g, (_, owner: string, place: string) => {
      return `${named(this.#owners, owner, (i) => String.fromCharCode(65 + i))}${named(this.#places, place, (i) => `#${i + 1}`)}`;
    });
  }
}

function named(names: Map<string, string>, long: string, next: (index: number) => string): string {
  const short = names.get(long) ?? next(names.size);
  names.set(long, short);
  return short;
}
