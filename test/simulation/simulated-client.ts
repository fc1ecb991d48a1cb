import type { RedisClient, Subscriber } from "../../src/stores/redis/connection.js";
import type { Decided, Network, Outcome } from "./network.js";
import type { Command } from "./simulated-server.js";
import { SimulatedSubscriber } from "./simulated-subscriber.js";
import type { Machine, VirtualTime } from "./virtual-time.js";

/** The longest lease of a simulation. */
const LONGEST_LEASE_MS = 5_000;

/** The reply that is being heard: when the server decided, and when it was asked to. */
export interface Heard extends Decided {
  readonly sentAt: number;
  /** The number of the event. */
  readonly event: number;
}

interface Sent {
  readonly command: Command;
  readonly number: number;
  readonly sentAt: number;
  readonly settle: (outcome: Outcome) => void;
}

/** A client as ioredis is one, with a connection over which commands and replies keep their order, until it breaks. */
export class SimulatedClient implements RedisClient {
  readonly machine: Machine;
  /** Who this is on the channels of semaphores, once that was told. */
  owner: string | undefined;
  /** Neither commands nor replies get through until then. */
  cutOffUntil = Number.NEGATIVE_INFINITY;
  heard: Heard | undefined;
  readonly duplicate?: () => Subscriber;
  readonly #time: VirtualTime;
  readonly #network: Network;
  readonly #underWay = new Set<Sent>();
  #numbers = 0;
  #lastCarriedOut = 0;
  #lastArrivalAt = 0;
  #lastReplyAt = 0;
  #connection = 0;

  constructor(time: VirtualTime, network: Network, machine: Machine, canSubscribe: boolean) {
    this.#time = time;
    this.#network = network;
    this.machine = machine;
    network.connections.add(this);
    if (canSubscribe) this.duplicate = () => new SimulatedSubscriber(time, network, machine);
  }

  evalsha(script: string, keys: number, ...rest: string[]): Promise<unknown> {
    return this.#send({ name: "evalsha", script, keys: rest.slice(0, keys), args: rest.slice(keys) });
  }

  eval(script: string, keys: number, ...rest: string[]): Promise<unknown> {
    return this.#send({ name: "eval", script, keys: rest.slice(0, keys), args: rest.slice(keys) });
  }

  del(key: string): Promise<unknown> {
    return this.#send({ name: "del", keys: [key], args: [] });
  }

  dbsize(): Promise<unknown> {
    return this.#send({ name: "dbsize", keys: [], args: [] });
  }

  /** What was sent fails; some of it may arrive all the same, whatever comes over the next connection. */
  breakDown(): void {
    this.#connection++;
    this.#lastArrivalAt = 0;
    this.#lastReplyAt = 0;
    const lost = [...this.#underWay];
    this.#underWay.clear();
    for (const { settle } of lost) settle({ error: new Error("Connection is closed.") });
  }

  #send(command: Command): Promise<unknown> {
    if (command.keys[0]?.includes(":semaphore:")) this.owner = command.args[1];
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome): void => {
        if ("error" in outcome) reject(outcome.error);
        else resolve(outcome.value);
      };
      const sent = { command, number: ++this.#numbers, sentAt: this.#time.now, settle };
      this.#underWay.add(sent);
      if (this.#network.isDown) this.#later(() => this.breakDown());
      else this.#travel(sent);
    });
  }

  #travel(sent: Sent): void {
    const network = this.#network;
    const connection = this.#connection;
    const arrive = (): void => {
      // Of what is on its way when a connection breaks, the server may have read the half.
      if (connection !== this.#connection && sent.number % 2 === 0) return;
      if (!this.#isCutOff)
        network.accept(sent.command, (decided) => this.#carriedOut(sent, connection, decided));
    };
    if (!network.chance("requestLost")) {
      this.#lastArrivalAt = Math.max(this.#lastArrivalAt, this.#time.now + network.delayMs());
      this.#time.at(this.#lastArrivalAt, undefined, arrive);
      if (network.chance("doubled"))
        this.#time.at(this.#lastArrivalAt + 100 * network.delayMs(), undefined, arrive);
    }
    if (network.chance("broken")) this.#later(() => this.breakDown());
  }

  #carriedOut(sent: Sent, connection: number, decided: Decided): void {
    const network = this.#network;
    if (sent.number < this.#lastCarriedOut) network.expectGhosts(LONGEST_LEASE_MS);
    this.#lastCarriedOut = Math.max(this.#lastCarriedOut, sent.number);
    if (connection !== this.#connection || network.chance("replyLost")) return;
    this.#lastReplyAt = Math.max(this.#lastReplyAt, this.#time.now + network.delayMs());
    this.#time.at(this.#lastReplyAt, this.machine, () => {
      if (this.#isCutOff || !this.#underWay.delete(sent)) return;
      this.heard = { ...decided, sentAt: sent.sentAt, event: this.#time.events };
      sent.settle(decided.outcome);
    });
  }

  #later(act: () => void): void {
    this.#time.at(this.#time.now + this.#network.delayMs(), this.machine, act);
  }

  get #isCutOff(): boolean {
    return this.cutOffUntil > this.#time.now;
  }
}
