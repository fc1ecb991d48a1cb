import { isIPv6 } from "node:net";

/** One address of a server. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a URL names, in the words of ioredis. */
export interface Server {
  readonly kind: "standalone" | "sentinel" | "cluster";
  /** The server, the sentinels, or some nodes of the cluster; none for a unix socket. */
  readonly addresses: readonly Address[];
  readonly path?: string;
  /** The name by which the sentinels know the master. */
  readonly service?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  /** Whether every connection is encrypted. */
  readonly tls: boolean;
}

const FORMS =
  "redis://[[user]:password@]host[:6379][/db], rediss://… for TLS, valkey(s)://…, unix:///path.sock[?db=0], " +
  "redis(s)+sentinel://[[user]:password@]host[:26379][,host…][/service] or " +
  "redis(s)+cluster://[[user]:password@]host[:6379][,host…]";

/** Kind and encryption of each scheme. */
const SCHEMES: ReadonlyMap<string, readonly [Server["kind"], boolean]> = new Map([
  ["redis", ["standalone", false]],
  ["valkey", ["standalone", false]],
  ["rediss", ["standalone", true]],
  ["valkeys", ["standalone", true]],
  ["redis+sentinel", ["sentinel", false]],
  ["rediss+sentinel", ["sentinel", true]],
  ["redis+cluster", ["cluster", false]],
  ["rediss+cluster", ["cluster", true]],
]);

const DEFAULT_PORTS = { standalone: 6379, sentinel: 26_379, cluster: 6379 } as const;

/**
 * The server, or the servers, that a URL names.
 * @throws TypeError that never shows the URL, as it may hold a password.
 */
export function parseServerUrl(url: string): Server {
  if (!url.isWellFormed()) return fail("it is not well-formed Unicode");
  const end = url.indexOf("://");
  if (end === -1) return fail("it has no scheme");
  const name = url.slice(0, end).toLowerCase();
  const rest = url.slice(end + 3);
  if (name === "unix") return parseUnix(rest);
  const [kind, tls] = SCHEMES.get(name) ?? fail("its scheme is not known");

  const at = rest.lastIndexOf("@");
  const slash = rest.indexOf("/", at + 1);
  const hosts = rest.slice(at + 1, slash === -1 ? rest.length : slash).split(",");
  if (kind === "standalone" && hosts.length > 1) return fail("it names several hosts");
  return {
    kind,
    tls,
    addresses: hosts.map((host) => parseAddress(host, DEFAULT_PORTS[kind])),
    ...(at === -1 ? {} : parseCredentials(rest.slice(0, at))),
    ...parsePath(kind, slash === -1 ? "" : rest.slice(slash + 1)),
  };
}

function parseUnix(rest: string): Server {
  const [path = "", query = "db=0", ...more] = rest.split("?");
  const db = /^db=(\d{1,9})$/.exec(query)?.[1];
  if (!path.startsWith("/") || path === "/" || path.includes("#") || more.length > 0 || db === undefined) {
    return fail("its path or its query is not of that form");
  }
  return { kind: "standalone", tls: false, addresses: [], path: decode(path), db: Number(db) };
}

/** What no host may hold is that of WHATWG URLs, and characters that can't be seen. */
const HOST_AND_PORT = /^(\[[0-9a-f:.]+\]|[^:/?#@[\]\\<>^|%\s\p{Cc}]+)(?::(\d{1,5}))?$/iu;

function parseAddress(text: string, defaultPort: number): Address {
  const [, host, digits] = HOST_AND_PORT.exec(text) ?? [];
  const inBrackets = host?.startsWith("[") && host.slice(1, -1);
  if (host === undefined || (inBrackets && !isIPv6(inBrackets)))
    return fail("a host or port is not of that form");
  const port = digits === undefined ? defaultPort : Number(digits);
  if (port < 1 || port > 65_535) return fail("a port is not from 1 to 65535");
  return { host: inBrackets || host, port };
}

function parseCredentials(text: string): Pick<Server, "username" | "password"> {
  const colon = text.indexOf(":");
  if (colon === -1 || /[/?#@\s]/.test(text))
    return fail("its credentials are not of that form; percent-encode them");
  const username = decode(text.slice(0, colon));
  const password = decode(text.slice(colon + 1));
  return { ...(username === "" ? {} : { username }), ...(password === "" ? {} : { password }) };
}

function parsePath(kind: Server["kind"], path: string): Pick<Server, "db" | "service"> {
  if (kind === "sentinel") {
    if (/[/?#]/.test(path)) return fail("its service is not of that form");
    return { service: path === "" ? "mymaster" : decode(path) };
  }
  if (path === "") return {};
  if (kind === "cluster" || !/^\d{1,9}$/.test(path)) return fail("what follows its host is not of that form");
  return { db: Number(path) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail("its percent-encoding is broken");
  }
}

function fail(problem: string): never {
  throw new TypeError(`Expected \`server\` to be a URL like ${FORMS}; ${problem}`);
}
