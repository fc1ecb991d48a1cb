import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import * as client2 from "@modelcontextprotocol/client";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as ClientTransport1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemoryTransport as InMemory1 } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer as Server1 } from "@modelcontextprotocol/sdk/server/mcp.js";
import { WebStandardStreamableHTTPServerTransport as ServerTransport1 } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import * as server2 from "@modelcontextprotocol/server";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { z } from "zod";
import { MemoryStore, Throttled } from "../../src/index.js";
import { type ThrottleToolOptions, type ToolContext, throttleTool } from "../../src/integrations/mcp.js";
import { RedisStore } from "../../src/redis.js";
import { ManualClock } from "../../src/testing.js";

/** What both versions of the SDK answer of a tool. */
interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** A client of one session. */
interface Session {
  call(tool: string, args?: Record<string, unknown>, signal?: AbortSignal): Promise<ToolResult>;
  close(): Promise<void>;
}

type Tools<Server> = (server: Server) => void;

/** A server that many clients connect to. */
interface Host {
  /** Connects a client that logged in under this id, if one is given. */
  connect(clientId?: string): Promise<Session>;
  close(): Promise<void>;
}

const INFO = { name: "test", version: "1.0.0" };

const authInfoOf = (clientId: string | null | undefined) =>
  clientId ? { token: "secret", clientId, scopes: [] } : undefined;

function session1(client: Client1): Session {
  return {
    call: async (name, args, signal) =>
      (await client.callTool({ name, arguments: args }, undefined, {
        ...(signal && { signal }),
      })) as ToolResult,
    close: () => client.close(),
  };
}

function session2(client: client2.Client): Session {
  return {
    call: async (name, args, signal) =>
      (await client.callTool(
        { name, ...(args && { arguments: args }) },
        { ...(signal && { signal }) },
      )) as ToolResult,
    close: () => client.close(),
  };
}

/** A transport in memory carries who logged in with each message. */
function loggedIn<T extends { send(message: never, options?: object): Promise<void> }>(
  transport: T,
  clientId: string | undefined,
): T {
  const send = transport.send.bind(transport);
  transport.send = (message, options) => send(message, { ...options, authInfo: authInfoOf(clientId) });
  return transport;
}

function memory1(tools: Tools<Server1>): Promise<Host> {
  const connect = async (clientId?: string): Promise<Session> => {
    const [near, far] = InMemory1.createLinkedPair();
    far.sessionId = randomUUID();
    const server = new Server1(INFO);
    tools(server);
    await server.connect(far as never);
    const client = new Client1(INFO);
    await client.connect(loggedIn(near, clientId) as never);
    return session1(client);
  };
  return Promise.resolve({ connect, close: async () => {} });
}

function memory2(tools: Tools<server2.McpServer>): Promise<Host> {
  const connect = async (clientId?: string): Promise<Session> => {
    const [near, far] = client2.InMemoryTransport.createLinkedPair();
    far.sessionId = randomUUID();
    const server = new server2.McpServer(INFO);
    tools(server);
    await server.connect(far);
    const client = new client2.Client(INFO);
    await client.connect(loggedIn(near, clientId));
    return session2(client);
  };
  return Promise.resolve({ connect, close: async () => {} });
}

/** Serves requests on a free port; the header `client` stands for a token that was checked. */
async function serve(
  answer: (request: Request, authInfo: ReturnType<typeof authInfoOf>) => Promise<Response>,
): Promise<{ url: URL; close(): Promise<void> }> {
  const fetch = (request: Request): Promise<Response> =>
    answer(request, authInfoOf(request.headers.get("client")));
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`),
    close: async () => {
      if ("closeAllConnections" in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const headersOf = (clientId: string | undefined) => ({
  requestInit: { headers: clientId === undefined ? {} : { client: clientId } },
});

interface SessionTransport {
  handleRequest(
    request: Request,
    options: { authInfo?: NonNullable<ReturnType<typeof authInfoOf>> },
  ): Promise<Response>;
}

/** Sends requests to the session that they name, and to a new one if they name none. */
function serveSessions(
  open: (opened: (id: string, transport: SessionTransport) => void) => Promise<SessionTransport>,
) {
  const sessions = new Map<string, SessionTransport>();
  return serve(async (request, authInfo) => {
    const known = sessions.get(request.headers.get("mcp-session-id") ?? "");
    const transport = known ?? (await open((id, opened) => sessions.set(id, opened)));
    return transport.handleRequest(request, { ...(authInfo && { authInfo }) });
  });
}

async function http1(tools: Tools<Server1>): Promise<Host> {
  const { url, close } = await serveSessions(async (opened) => {
    const transport: ServerTransport1 = new ServerTransport1({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => opened(id, transport),
    });
    const server = new Server1(INFO);
    tools(server);
    await server.connect(transport as never);
    return transport;
  });
  const connect = async (clientId?: string): Promise<Session> => {
    const client = new Client1(INFO);
    await client.connect(new ClientTransport1(url, headersOf(clientId)) as never);
    return session1(client);
  };
  return { connect, close };
}

async function http2(tools: Tools<server2.McpServer>): Promise<Host> {
  const { url, close } = await serveSessions(async (opened) => {
    const transport: server2.WebStandardStreamableHTTPServerTransport =
      new server2.WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => opened(id, transport),
      });
    const server = new server2.McpServer(INFO);
    tools(server);
    await server.connect(transport);
    return transport;
  });
  const connect = async (clientId?: string): Promise<Session> => {
    const client = new client2.Client(INFO);
    await client.connect(new client2.StreamableHTTPClientTransport(url, headersOf(clientId)));
    return session2(client);
  };
  return { connect, close };
}

/** The protocol without sessions: each request gets a server of its own. */
async function stateless2(tools: Tools<server2.McpServer>): Promise<Host> {
  const handler = server2.createMcpHandler(
    () => {
      const server = new server2.McpServer(INFO);
      tools(server);
      return server;
    },
    { legacy: "reject" },
  );
  const { url, close } = await serve((request, authInfo) =>
    handler.fetch(request, { ...(authInfo && { authInfo }) }),
  );
  const connect = async (clientId?: string): Promise<Session> => {
    const client = new client2.Client(INFO, { versionNegotiation: { mode: "auto" } });
    await client.connect(new client2.StreamableHTTPClientTransport(url, headersOf(clientId)));
    return session2(client);
  };
  return {
    connect,
    close: async () => {
      await handler.close();
      await close();
    },
  };
}

interface Search {
  readonly query: string;
  readonly pages?: number | undefined;
}

type Text = { content: [{ type: "text"; text: string }]; structuredContent?: { found: string } };

const input = z.object({ query: z.string(), pages: z.number().optional() });
const output = z.object({ found: z.string() });
const textOf = (text: string): Text => ({ content: [{ type: "text", text }] });

let clock: ManualClock;
let store: MemoryStore;
let handled: string[];
let closing: (() => Promise<void>)[];

beforeEach(() => {
  clock = new ManualClock();
  store = new MemoryStore({ clock });
  handled = [];
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

const down = (onUnavailable: "throw" | "allow" | "deny" | MemoryStore): RedisStore => {
  const redis = new RedisStore("redis://127.0.0.1:1", { deadline: "100ms", onUnavailable });
  closing.push(() => redis.close());
  return redis;
};

const limited = (retryAfterMs: number) => ({
  isError: true,
  content: [{ type: "text", text: `Rate limit exceeded. Retry after ${Math.ceil(retryAfterMs / 1000)} s.` }],
  _meta: { retryAfterMs },
});

/** What the tests need of the servers of both versions, whose types have nothing in common. */
interface AnyServer {
  registerTool(name: string, config: object, handler: unknown): void;
}

type Start = (tools: Tools<AnyServer>) => Promise<Host>;

describe.each([
  { title: "version 1 of the SDK, in memory", start: memory1 as unknown as Start, sessions: true },
  { title: "version 1 of the SDK, over HTTP", start: http1 as unknown as Start, sessions: true },
  { title: "version 2 of the SDK, in memory", start: memory2 as unknown as Start, sessions: true },
  { title: "version 2 of the SDK, over HTTP", start: http2 as unknown as Start, sessions: true },
  {
    title: "version 2 of the SDK, over HTTP without sessions",
    start: stateless2 as unknown as Start,
    sessions: false,
  },
])("$title", ({ start, sessions }) => {
  /** Connects to a server with the tools `search`, `ping` without arguments, and `structured` with an output schema. */
  async function host(options: ThrottleToolOptions<[Search, ToolContext]>): Promise<Host> {
    const { key, cost, ...rest } = { store, ...options };
    const search = throttleTool({ ...rest, key, cost }, async ({ query }: Search, _context: ToolContext) => {
      handled.push(query);
      if (query === "throw") throw new Error("The index is broken");
      return textOf(`found ${query}`);
    });
    const ping = throttleTool(rest, (_context: ToolContext) => {
      handled.push("ping");
      return textOf("pong");
    });
    const structured = throttleTool(rest, ({ query }: Search, _context: ToolContext) => {
      handled.push(query);
      return { ...textOf("found"), structuredContent: { found: query } };
    });
    const running = await start((server) => {
      server.registerTool("search", { inputSchema: input }, search);
      server.registerTool("ping", { description: "Answers" }, ping);
      server.registerTool("structured", { inputSchema: input, outputSchema: output }, structured);
    });
    closing.push(running.close);
    return running;
  }

  async function connect(to: Host, clientId?: string): Promise<Session> {
    const session = await to.connect(clientId);
    closing.push(session.close);
    return session;
  }

  const alone = async (options: ThrottleToolOptions<[Search, ToolContext]>): Promise<Session> =>
    connect(await host(options));

  test("a call within the quota gets what the tool answers", async () => {
    const session = await alone({ quota: "3/m" });
    expect(await session.call("search", { query: "a" })).toMatchObject({
      content: [{ type: "text", text: "found a" }],
    });
    expect(await session.call("ping")).toMatchObject({ content: [{ type: "text", text: "pong" }] });
    expect(await session.call("structured", { query: "b" })).toMatchObject({
      structuredContent: { found: "b" },
    });
    expect(handled).toEqual(["a", "ping", "b"]);
  });

  test("a call beyond the quota gets an error that says when to come back, and the tool does not run", async () => {
    const session = await alone({ quota: "1/m" });
    await session.call("search", { query: "a" });
    const refused = await session.call("search", { query: "b" });
    expect(refused).toMatchObject(limited(60_000));
    expect(Object.keys(refused._meta!)).toContain("retryAfterMs");
    expect(handled).toEqual(["a"]);
    clock.advance(58_500);
    expect(await session.call("search", { query: "c" })).toMatchObject(limited(1_500));
    clock.advance(1_500);
    expect(await session.call("search", { query: "d" })).toMatchObject(textOf("found d"));
    expect(handled).toEqual(["a", "d"]);
  });

  test("a tool without arguments, and one with an output schema, refuse in the same way", async () => {
    const session = await alone({ quota: "1/m" });
    await session.call("ping");
    expect(await session.call("ping")).toMatchObject(limited(60_000));
    const refused = await session.call("structured", { query: "a" });
    expect(refused).toMatchObject(limited(60_000));
    expect(refused).not.toHaveProperty("structuredContent");
    expect(handled).toEqual(["ping"]);
  });

  test("clients that logged in have a quota of their own, in all of their sessions", async () => {
    const running = await host({ quota: "1/m" });
    const answers = [];
    for (const clientId of ["ann", "ann", "bob"]) {
      const session = await connect(running, clientId);
      answers.push((await session.call("search", { query: clientId })).isError ?? false);
    }
    expect(answers).toEqual([false, true, false]);
    expect(handled).toEqual(["ann", "bob"]);
  });

  test(
    sessions
      ? "sessions of nobody in particular have a quota of their own each"
      : "clients of nobody in particular share a quota, as nothing tells them apart",
    async () => {
      const running = await host({ quota: "1/m" });
      const [one, other] = [await connect(running), await connect(running)];
      expect(await one.call("ping")).toMatchObject(textOf("pong"));
      expect(await other.call("ping")).toMatchObject(sessions ? textOf("pong") : limited(60_000));
      expect(await one.call("ping")).toMatchObject(limited(60_000));
    },
  );

  test("a key may be a value that all share", async () => {
    const running = await host({ quota: "1/m", key: "everybody" });
    const [ann, bob] = [await connect(running, "ann"), await connect(running, "bob")];
    expect(await ann.call("search", { query: "a" })).toMatchObject(textOf("found a"));
    expect(await bob.call("search", { query: "b" })).toMatchObject(limited(60_000));
  });

  test("a key and a cost may be computed from the arguments", async () => {
    const session = await alone({
      quota: "5/m",
      key: async ({ query }, context) => {
        expect(context.mcpReq?.signal ?? context.signal).toBeDefined();
        return query;
      },
      cost: async ({ pages }) => pages ?? 1,
    });
    expect(await session.call("search", { query: "a", pages: 4 })).toMatchObject(textOf("found a"));
    expect(await session.call("search", { query: "a", pages: 2 })).toMatchObject(limited(12_000));
    expect(await session.call("search", { query: "b", pages: 5 })).toMatchObject(textOf("found b"));
    expect(await session.call("search", { query: "a" })).toMatchObject(textOf("found a"));
  });

  test("a cost may be a value, and 0 costs nothing", async () => {
    const dear = await alone({ quota: "5/m", cost: 3 });
    expect(await dear.call("search", { query: "a" })).toMatchObject(textOf("found a"));
    expect(await dear.call("search", { query: "b" })).toMatchObject(limited(12_000));
    const free = await alone({ quota: "1/m", cost: 0 });
    for (let i = 0; i < 3; i++)
      expect(await free.call("search", { query: "c" })).toMatchObject(textOf("found c"));
  });

  test("a call that costs more than the quota ever holds is told no time to come back", async () => {
    const session = await alone({ quota: "5/m", cost: 6 });
    const refused = await session.call("search", { query: "a" });
    expect(refused).toMatchObject({
      isError: true,
      content: [{ type: "text", text: "Rate limit exceeded. This call can never pass." }],
    });
    expect(refused._meta ?? {}).not.toHaveProperty("retryAfterMs");
    expect(handled).toEqual([]);
  });

  test("with a timeout calls wait for their turn", async () => {
    const session = await alone({ quota: "20/s burst 1", timeout: "10s", store: new MemoryStore() });
    const started = performance.now();
    const queries = ["a", "b", "c"];
    const answers = await Promise.all(queries.map((query) => session.call("search", { query })));
    expect(answers).toMatchObject(queries.map((query) => textOf(`found ${query}`)));
    // Moments are counted from the whole millisecond in which the first call went.
    expect(performance.now() - started).toBeGreaterThanOrEqual(99);
    expect(handled.length).toBe(3);
  });

  test("a call whose turn comes after its timeout is refused at once", async () => {
    const session = await alone({ quota: "1/m", timeout: "59s" });
    await session.call("search", { query: "a" });
    expect(await session.call("search", { query: "b" })).toMatchObject(limited(60_000));
    expect(handled).toEqual(["a"]);
  });

  test("a call that is cancelled while it waits gives its turn back, and the tool does not run", async () => {
    const real = new MemoryStore();
    const session = await alone({ quota: "1/h", key: "queue", timeout: "2h", store: real });
    const beside = new Throttled({ quota: "1/h", store: real });
    const untilNext = async () => (await beside.limit("queue")).retryAfterMs;
    await session.call("search", { query: "a" });

    const controller = new AbortController();
    const waiting = session.call("search", { query: "b" }, controller.signal);
    const rejected = expect(waiting).rejects.toThrow();
    await vi.waitFor(async () => expect(await untilNext()).toBeGreaterThan(3_600_000));
    controller.abort(new Error("Never mind"));
    await rejected;
    await vi.waitFor(async () => expect(await untilNext()).toBeLessThanOrEqual(3_600_000));
    expect(handled).toEqual(["a"]);
  });

  test("a store that is down is an error, and the tool does not run", async () => {
    const session = await alone({ store: down("throw") });
    for (let i = 0; i < 2; i++) {
      expect(await session.call("search", { query: "a" })).toMatchObject({
        isError: true,
        content: [{ type: "text", text: "The rate limit can't be checked now. Retry after 1 s." }],
        _meta: { retryAfterMs: 1_000 },
      });
    }
    expect(handled).toEqual([]);
  });

  test("a store that is down does what its policy says", async () => {
    const allowing = await alone({ quota: "1/h", store: down("allow") });
    for (let i = 0; i < 2; i++)
      expect(await allowing.call("search", { query: "a" })).toMatchObject(textOf("found a"));
    const denying = await alone({ quota: "1/h", store: down("deny") });
    expect(await denying.call("search", { query: "b" })).toMatchObject(limited(1_000));
    const falling = await alone({ quota: "1/h", key: "k", store: down(store) });
    expect(await falling.call("search", { query: "c" })).toMatchObject(textOf("found c"));
    expect(await falling.call("search", { query: "d" })).toMatchObject(limited(3_600_000));
    expect(handled).toEqual(["a", "a", "c"]);
  });

  test("what a tool throws is told as the SDK tells it, and is charged", async () => {
    const session = await alone({ quota: "1/m" });
    const answer = await session.call("search", { query: "throw" });
    expect(answer).toMatchObject({ isError: true, content: [{ text: "The index is broken" }] });
    expect(answer._meta ?? {}).not.toHaveProperty("retryAfterMs");
    expect(await session.call("search", { query: "a" })).toMatchObject(limited(60_000));
  });

  test("what a key or a cost throws, or answers wrongly, is told too, and neither charges nor runs the tool", async () => {
    let [key, cost]: [() => string, () => number] = [() => "k", () => 1];
    const session = await alone({ quota: "1/m", key: () => key(), cost: () => cost() });
    const told = async () => (await session.call("search", { query: "a" })).content[0]!.text;
    key = () => {
      throw new Error("Who is it?");
    };
    expect(await told()).toBe("Who is it?");
    key = () => undefined as never;
    expect(await told()).toContain("`key`");
    [key, cost] = [() => "k", () => -1];
    expect(await told()).toContain("`cost`");
    expect(handled).toEqual([]);
    cost = () => 1;
    expect(await told()).toBe("found a");
  });
});

describe("called with nothing but a context", () => {
  const context: ToolContext = {};
  const tool = (options: ThrottleToolOptions<[ToolContext]>) =>
    throttleTool({ store, quota: "1/m", ...options }, async (_: ToolContext) => "ran" as unknown);

  test("a tool needs neither a session nor a client", async () => {
    const call = tool({});
    expect(await call(context)).toBe("ran");
    expect(await call(context)).toEqual(limited(60_000));
  });

  test("no client can choose an id by which it spends what another caller may", async () => {
    const call = tool({});
    const callers: ToolContext[] = [
      {},
      { sessionId: "x" },
      { sessionId: "client:x" },
      { sessionId: "anonymous" },
      { authInfo: { clientId: "x" } },
      { authInfo: { clientId: "anonymous" } },
      { http: { authInfo: { clientId: "session:x" } } },
    ];
    for (const caller of callers) expect(await call(caller)).toBe("ran");
  });

  test("a client counts as one, whichever session it calls in, and whichever version tells of it", async () => {
    const call = tool({});
    expect(await call({ authInfo: { clientId: "x" }, sessionId: "a" })).toBe("ran");
    expect(await call({ http: { authInfo: { clientId: "x" } }, sessionId: "b" })).toEqual(limited(60_000));
  });

  test("tools of equal quotas on one store share what a caller may, unless they have a prefix", async () => {
    const calls = [tool({}), tool({}), tool({ prefix: "search" }), tool({ prefix: "mail" })];
    const ran = [];
    for (const call of calls) ran.push((await call(context)) === "ran");
    expect(ran).toEqual([true, false, true, true]);
  });

  test("a call that was cancelled before it began is not charged", async () => {
    const call = tool({});
    const signal = AbortSignal.abort(new Error("Never mind"));
    await expect(call({ signal })).rejects.toThrow("Never mind");
    await expect(call({ mcpReq: { signal } })).rejects.toThrow("Never mind");
    expect(await call(context)).toBe("ran");
  });

  test("a failure of a store that the tool itself uses is no refusal", async () => {
    const broken = new Throttled({ store: down("throw") });
    const call = throttleTool({ store }, async (_: ToolContext) => broken.limit("k"));
    await expect(call(context)).rejects.toThrow("The redis store failed to decide");
  });
});

test.each<[string, object]>([
  ["`quota`", { quota: 5.5 }],
  ["`using`", { using: "bucket" }],
  ["`store`", { store: {} }],
  ["`prefix`", { prefix: 1 }],
  ["`key`", { key: 1 }],
  ["`key`", { key: "" }],
  ["`cost`", { cost: -1 }],
  ["`cost`", { cost: "1" }],
  ["`timeout`", { timeout: "soon" }],
  ['"limit"', { limit: 5 }],
  ["`options`", [] as object],
])("a wrong option is named when the tool is wrapped: %s of %o", (name, options) => {
  expect(() => throttleTool(options, () => {})).toThrow(name);
});

test("a handler that is no function is named when the tool is wrapped", () => {
  expect(() => throttleTool({}, "search" as never)).toThrow("Expected `handler` to be a function");
});

describe("types", () => {
  test("a wrapped handler fits version 1 of the SDK, and knows its arguments", () => {
    const server = new Server1(INFO);
    server.registerTool(
      "search",
      { inputSchema: { query: z.string(), pages: z.number() } },
      throttleTool(
        { store, cost: ({ pages }) => pages, key: ({ query }) => query },
        ({ query, pages }, extra) => {
          expectTypeOf(query).toEqualTypeOf<string>();
          expectTypeOf(pages).toEqualTypeOf<number>();
          expectTypeOf(extra.signal).toEqualTypeOf<AbortSignal>();
          return { content: [{ type: "text", text: query }] };
        },
      ),
    );
    server.registerTool(
      "ping",
      {},
      throttleTool({ store, key: (extra) => extra.sessionId ?? "" }, async (_extra: ToolContext) => {
        return { content: [{ type: "text", text: "pong" }] };
      }),
    );
    const missing = throttleTool({ store }, ({ other }: { other: string }) => textOf(other));
    // @ts-expect-error: this tool has no such argument.
    server.registerTool("wrong", { inputSchema: input }, missing);
  });

  test("a wrapped handler fits version 2 of the SDK, and knows its arguments", () => {
    const server = new server2.McpServer(INFO);
    server.registerTool(
      "search",
      { inputSchema: z.object({ query: z.string(), pages: z.number() }) },
      throttleTool(
        { store, cost: ({ pages }) => pages, key: ({ query }) => query },
        async ({ query, pages }, context) => {
          expectTypeOf(query).toEqualTypeOf<string>();
          expectTypeOf(pages).toEqualTypeOf<number>();
          expectTypeOf(context.mcpReq.signal).toEqualTypeOf<AbortSignal>();
          return { content: [{ type: "text", text: query }] };
        },
      ),
    );
    server.registerTool(
      "ping",
      {},
      throttleTool(
        { store, key: (context) => context.sessionId ?? "" },
        (_context: server2.ServerContext) => {
          return { content: [{ type: "text", text: "pong" }] };
        },
      ),
    );
    const missing = throttleTool({ store }, ({ other }: { other: string }) => textOf(other));
    // @ts-expect-error: this tool has no such argument.
    server.registerTool("wrong", { inputSchema: input }, missing);
  });

  test("outside of a server the handler says what its arguments are", async () => {
    const wrapped = throttleTool(
      { store, cost: ({ pages = 1 }) => pages, key: (_, context) => context.sessionId ?? "k" },
      ({ query }: Search, _context: ToolContext) => textOf(query),
    );
    expectTypeOf(wrapped).toEqualTypeOf<(search: Search, context: ToolContext) => Promise<Text>>();
    new Server1(INFO).registerTool("search", { inputSchema: input }, wrapped);
    new server2.McpServer(INFO).registerTool("search", { inputSchema: input }, wrapped);
    // @ts-expect-error: a query has no such thing.
    throttleTool({ key: ({ user }) => user }, ({ query }: Search) => textOf(query));
    expect(await wrapped({ query: "a" }, {})).toEqual(textOf("a"));
  });
});
