import type { Subscriber } from "../../src/stores/redis/connection.js";
import type { Network } from "./network.js";
import type { Machine, VirtualTime } from "./virtual-time.js";

/** How long until a connection that was lost is tried again. */
const RECONNECT_MS = 50;

/** A connection that hears messages, as ioredis keeps one: it comes back by itself, and is then to be told again what to hear. */
export class SimulatedSubscriber implements Subscriber {
  status = "wait";
  readonly machine: Machine;
  readonly #time: VirtualTime;
  readonly #network: Network;
  readonly #listeners = new Map<string, ((...args: never[]) => void)[]>();
  #connection = 0;
  #lastMessageAt = 0;
  #unlisten = (): void => {};

  constructor(time: VirtualTime, network: Network, machine: Machine) {
    this.#time = time;
    this.#network = network;
    this.machine = machine;
    network.connections.add(this);
  }

  on(event: string, listener: (...args: never[]) => void): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  async connect(): Promise<void> {
    this.status = "connecting";
    this.#tryIn(this.#network.delayMs());
  }

  disconnect(): void {
    this.#leave("end");
    this.#network.connections.delete(this);
  }

  subscribe(channel: string): Promise<unknown> {
    const connection = this.#connection;
    return new Promise((resolve, reject) => {
      this.on("close", () => reject(new Error("Connection is closed.")));
      this.#time.at(this.#time.now + this.#network.delayMs(), undefined, () => {
        if (connection !== this.#connection || this.#network.isDown) return;
        this.#unlisten = this.#network.server.listen((each, message) => {
          if (each === channel) this.#deliver("message", channel, message);
        });
        this.#deliver("subscribed");
      });
      this.on("subscribed", () => resolve(1));
    });
  }

  breakDown(): void {
    if (this.status === "end") return;
    this.#leave("reconnecting");
    this.#tryIn(RECONNECT_MS);
  }

  #leave(status: string): void {
    this.#unlisten();
    this.#connection++;
    this.status = status;
    this.#emit("close");
  }

  #tryIn(ms: number): void {
    const connection = this.#connection;
    this.#time.at(this.#time.now + ms, this.machine, () => {
      if (connection !== this.#connection) return;
      if (this.#network.isDown) {
        this.#tryIn(RECONNECT_MS);
        return;
      }
      this.status = "ready";
      this.#emit("connect");
      this.#emit("ready");
    });
  }

  #deliver(event: string, ...args: unknown[]): void {
    if (this.#network.chance("messageLost")) return;
    const connection = this.#connection;
    this.#lastMessageAt = Math.max(this.#lastMessageAt, this.#time.now + this.#network.delayMs());
    this.#time.at(this.#lastMessageAt, this.machine, () => {
      if (connection === this.#connection) this.#emit(event, ...args);
    });
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(...(args as never[]));
  }
}
