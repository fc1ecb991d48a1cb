import { createServer, connect as dial, type Server, type Socket } from "node:net";

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** Both ends stay open, and nothing passes any more. */
  dead: boolean;
}

/** A TCP proxy in front of a server that does to its connections what networks do. */
export class FaultyProxy {
  /** How long each piece of an answer is held back: a number, or a function for jitter. */
  delayMs: number | (() => number) = 0;
  /** Whether every byte, in both directions, travels alone. */
  oneByteAtATime = false;
  /** How many of the next answers get lost, each with its connection. */
  answersToLose = 0;
  /** Whether it hangs up on whoever connects. */
  hangsUp = false;
  /** What it says to anything that it is sent, instead of the server. */
  babble: string | undefined;
  /** All that clients sent, as text. */
  sent = "";
  /** How many connections there have been. */
  accepted = 0;
  readonly #target: number;
  readonly #listener: Server;
  readonly #links = new Set<Link>();

  private constructor(target: number) {
    this.#target = target;
    this.#listener = createServer({ noDelay: true }, (client) => this.#link(client));
  }

  /** A proxy on a free loopback port in front of another. */
  static async start(target: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target);
    await new Promise<void>((resolve) => proxy.#listener.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#listener.address() as { port: number }).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** The connections that are open now. */
  get connections(): readonly object[] {
    return [...this.#links];
  }

  /** How often clients sent a command. */
  count(command: string): number {
    return this.sent.toLowerCase().split(`\r\n${command.toLowerCase()}\r\n`).length - 1;
  }

  /** Resets every connection. */
  reset(): void {
    for (const { client, server } of this.#links) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  /** Connections of now lead nowhere from here on, as when a firewall forgot them; new ones work. */
  blackHole(): void {
    for (const link of this.#links) link.dead = true;
  }

  /** Tells clients politely that no more answers come. */
  end(): void {
    for (const { client } of this.#links) client.end();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#listener.close(resolve));
    this.reset();
    await closed;
  }

  #link(client: Socket): void {
    this.accepted++;
    if (this.hangsUp) {
      client.on("error", () => {}).destroy();
      return;
    }
    const server = dial({ port: this.#target, host: "127.0.0.1", noDelay: true });
    const link: Link = { client, server, dead: false };
    this.#links.add(link);
    const unlink = (): void => {
      this.#links.delete(link);
      client.destroy();
      server.destroy();
    };
    for (const end of [client, server]) end.on("error", unlink).on("close", unlink);
    client.on("data", (bytes) => {
      this.sent += bytes.toString("latin1");
      if (this.babble !== undefined) client.write(this.babble);
      else if (!link.dead) this.#pass(bytes, server);
    });
    let turn = Promise.resolve();
    server.on("data", (bytes) => {
      turn = turn.then(() => this.#answer(link, bytes));
    });
  }

  async #answer(link: Link, bytes: Buffer): Promise<void> {
    const delay = typeof this.delayMs === "number" ? this.delayMs : this.delayMs();
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    if (link.dead) return;
    if (this.answersToLose > 0) {
      this.answersToLose--;
      link.client.resetAndDestroy();
    } else this.#pass(bytes, link.client);
  }

  #pass(bytes: Buffer, to: Socket): void {
    if (to.destroyed) return;
    const size = this.oneByteAtATime ? 1 : bytes.length;
    for (let at = 0; at < bytes.length; at += size) to.write(bytes.subarray(at, at + size));
  }
}
