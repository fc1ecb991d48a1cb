import type { ServerNode } from "../../support/server-node.js";
import type { Part } from "../part.js";
import type { Random } from "../random.js";

/** What a server goes through while it is used: it is killed and comes back empty, loses its scripts, and drops connections. */
export class Outages implements Part {
  readonly name = "outages";
  readonly #server: ServerNode;
  readonly #everyMs: number;
  readonly #random: Random;
  #next: number;
  #backAt: number | undefined;
  #underWay: Promise<unknown> = Promise.resolve();
  #forgottenAt = Number.NEGATIVE_INFINITY;
  readonly #figures = { restarts: 0, flushes: 0, kills: 0 };

  constructor(server: ServerNode, everyMs: number, random: Random) {
    this.#server = server;
    this.#everyMs = everyMs;
    this.#random = random;
    this.#next = performance.now() + everyMs;
  }

  readonly timesForgotten = (): number => this.#figures.restarts;
  readonly forgottenAt = (): number => this.#forgottenAt;

  step(): "excused" | undefined {
    const now = performance.now();
    if (this.#backAt !== undefined) {
      if (now < this.#backAt) return;
      return this.#restart();
    }
    if (now < this.#next) return;
    this.#next = now + this.#everyMs;
    const kind = (this.#figures.restarts + this.#figures.flushes + this.#figures.kills) % 3;
    if (kind === 0) {
      this.#server.kill();
      this.#figures.restarts++;
      this.#backAt = now + 100 + this.#random() * 900;
    } else if (kind === 1) {
      this.#figures.flushes++;
      this.#add(this.#server.call("SCRIPT", "FLUSH"));
    } else {
      this.#figures.kills++;
      this.#add(this.#server.call("CLIENT", "KILL", "TYPE", "normal"));
    }
  }

  /** To start a process takes a large one some milliseconds. */
  #restart(): "excused" {
    this.#backAt = undefined;
    this.#forgottenAt = performance.now();
    this.#add(this.#server.start());
    return "excused";
  }

  #add(action: Promise<unknown>): void {
    this.#underWay = Promise.all([this.#underWay, action]);
    // Who waits for all of them hears of it.
    this.#underWay.catch(() => {});
  }

  async idle(): Promise<void> {
    if (this.#backAt !== undefined) this.#restart();
    await this.#underWay;
  }

  faults(): string[] {
    return [];
  }

  figures(): Readonly<Record<string, number>> {
    return this.#figures;
  }

  close(): Promise<void> {
    return this.#server.stop();
  }
}
