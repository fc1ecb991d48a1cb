import { describe } from "../../argument.js";

/** Where one Redis server is, in the words of ioredis. */
export interface ServerOptions {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: object;
}

const FORMS =
  "redis://[[user]:password@]host[:6379][/db], rediss://… for TLS, valkey(s)://… or unix:///path.sock[?db=0]";

/**
 * The server that a URL names.
 * @throws TypeError that never shows the URL, as it may hold a password.
 */
export function parseServerUrl(text: string): ServerOptions {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.*)$/is.exec(text) ?? [];
  switch (scheme.toLowerCase()) {
    case "unix":
      return parseUnix(rest);
    case "redis":
    case "valkey":
      return parseTcp(rest);
    case "rediss":
    case "valkeys": {
      const server = parseTcp(rest);
      // Without a server name there is no SNI, and certificates of shared hosts would not match.
      return {
        ...server,
        tls: server.host && !/^[\d.]+$|:/.test(server.host) ? { servername: server.host } : {},
      };
    }
    default:
      return fail(scheme === "" ? "it has no scheme" : `the scheme ${describe(scheme)} is not known`);
  }
}

function parseUnix(rest: string): ServerOptions {
  const [, path = "", db] = /^(\/[^?#]+)(?:\?db=(\d+))?$/.exec(rest) ?? [];
  if (path === "") return fail("its path or its query is not of that form");
  return { path: decode(path), ...(db === undefined ? {} : { db: Number(db) }) };
}

function parseTcp(rest: string): ServerOptions {
  const at = rest.lastIndexOf("@");
  const [, host = "", port, db] =
    /^(\[[^\]]+\]|[^:/?#@[\]]+)(?::(\d{1,5}))?(?:\/(\d*))?$/.exec(rest.slice(at + 1)) ?? [];
  if (host === "") return fail("its host, port or database is not of that form");
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))
    return fail("its port is not 1 to 65535");
  return {
    host: host.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port ?? 6379),
    ...(db ? { db: Number(db) } : {}),
    ...(at === -1 ? {} : parseCredentials(rest.slice(0, at))),
  };
}

function parseCredentials(text: string): ServerOptions {
  const colon = text.indexOf(":");
  if (colon === -1 || /[/?#@]/.test(text))
    return fail("its credentials are not of that form; percent-encode them");
  const [username, password] = [decode(text.slice(0, colon)), decode(text.slice(colon + 1))];
  return { ...(username === "" ? {} : { username }), ...(password === "" ? {} : { password }) };
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
