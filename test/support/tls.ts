import { connect, createServer, type Server, type Socket } from "node:net";

/** A plain TCP listener that keeps every byte which clients send to it. */
export class Recorder {
  readonly port: number;
  /** What came over each connection. */
  readonly heard: readonly { bytes: Buffer }[];
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>, heard: readonly { bytes: Buffer }[]) {
    this.port = (server.address() as { port: number }).port;
    this.heard = heard;
    this.#server = server;
    this.#sockets = sockets;
  }

  /** Passes everything on to the server on `target` and back; without one it never answers. */
  static async start(target?: number): Promise<Recorder> {
    const sockets = new Set<Socket>();
    const heard: { bytes: Buffer }[] = [];
    const keep = (socket: Socket): Socket => {
      sockets.add(socket);
      return socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    };
    const server = createServer((client) => {
      const record = { bytes: Buffer.alloc(0) };
      heard.push(record);
      keep(client).on("data", (chunk: Buffer) => {
        record.bytes = Buffer.concat([record.bytes, chunk]);
      });
      if (target === undefined) return;
      const upstream = keep(connect(target, "127.0.0.1"));
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Recorder(server, sockets, heard);
  }

  /** All of it, as text in which every byte is a character. */
  get text(): string {
    return this.heard.map(({ bytes }) => bytes.toString("latin1")).join("\n");
  }

  /** The connections over which something was said. */
  get spoken(): readonly Buffer[] {
    return this.heard.map(({ bytes }) => bytes).filter(({ length }) => length > 0);
  }

  /** Whether all that was said began as TLS does, and something was. */
  get isEncrypted(): boolean {
    return this.spoken.length > 0 && this.spoken.every((bytes) => bytes[0] === 0x16 && bytes[1] === 0x03);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
