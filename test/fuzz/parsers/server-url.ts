import { deepStrictEqual } from "node:assert/strict";
import { isIPv6 } from "node:net";
import fc from "fast-check";
import { type Address, parseServerUrl, type Server } from "../../../src/stores/redis/server-url.js";
import { checkComplaint, outcome, parser } from "../parser.js";
import { anyText, faulty, jumble } from "../texts.js";

/** A URL, and what it names if that is known. */
interface Written {
  readonly url: string;
  readonly server?: Server;
}

/** Stands in all secrets, so that no part of them can turn up by chance. */
const MARK = "s3cr3t";
const SCHEMES: Readonly<Record<string, { kind: Server["kind"]; tls: boolean; port: number }>> = {
  redis: { kind: "standalone", tls: false, port: 6379 },
  valkey: { kind: "standalone", tls: false, port: 6379 },
  rediss: { kind: "standalone", tls: true, port: 6379 },
  Valkeys: { kind: "standalone", tls: true, port: 6379 },
  "redis+sentinel": { kind: "sentinel", tls: false, port: 26_379 },
  "rediss+sentinel": { kind: "sentinel", tls: true, port: 26_379 },
  "redis+cluster": { kind: "cluster", tls: false, port: 6379 },
  "REDISS+cluster": { kind: "cluster", tls: true, port: 6379 },
};

const text = fc.string({ unit: "grapheme", maxLength: 6 });
const credentials = fc.record({
  username: fc.oneof(fc.constant(""), text),
  password: text.map((part) => MARK + part + MARK),
});
const name = fc.oneof(
  fc.constantFrom("localhost", "h", "redis-1.example.com", "redis_1", "bücher.example", "-"),
  fc.domain(),
  fc.ipV4(),
  fc.ipV6(),
);
const address = fc.record({
  host: name,
  port: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
});

const overTcp: fc.Arbitrary<Written> = fc
  .record({
    scheme: fc.constantFrom(...Object.keys(SCHEMES)),
    credentials: fc.option(credentials, { nil: undefined }),
    addresses: fc.array(address, { minLength: 1, maxLength: 3 }),
    db: fc.option(fc.nat(99), { nil: undefined }),
    service: fc.option(fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }), { nil: undefined }),
  })
  .map(({ scheme, credentials: secret, addresses, db, service }) => {
    const { kind, tls, port } = SCHEMES[scheme]!;
    const hosts = (kind === "standalone" ? addresses.slice(0, 1) : addresses).map((each) => ({
      ...each,
      port: each.port ?? port,
    }));
    const given = { standalone: db?.toString(), sentinel: service, cluster: undefined }[kind];
    const server: Server = {
      kind,
      tls,
      addresses: hosts,
      ...(secret?.username ? { username: secret.username } : {}),
      ...(secret === undefined ? {} : { password: secret.password }),
      ...(kind === "standalone" && db !== undefined ? { db } : {}),
      ...(kind === "sentinel" ? { service: service ?? "mymaster" } : {}),
    };
    return { url: urlOf(scheme, server, given), server };
  });

const overUnix: fc.Arbitrary<Written> = fc
  .tuple(fc.array(text, { minLength: 1, maxLength: 3 }), fc.option(fc.nat(99), { nil: undefined }))
  .map(([parts, db]) => {
    const path = `/${parts.join("/")}`;
    const url = `unix://${path.split("/").map(encodeURIComponent).join("/")}${db === undefined ? "" : `?db=${db}`}`;
    return path === "/"
      ? { url }
      : { url, server: { kind: "standalone", tls: false, addresses: [], path, db: db ?? 0 } };
  });

function urlOf(scheme: string, { addresses, username = "", password }: Server, path?: string): string {
  const [user, pass] = [username, password ?? ""].map(encodeURIComponent);
  const hosts = addresses.map(({ host: name, port }) => `${bracketed(name)}:${port}`);
  return (
    `${scheme}://${username === "" && password === undefined ? "" : `${user}:${pass}@`}${hosts.join(",")}` +
    (path === undefined ? "" : `/${encodeURIComponent(path)}`)
  );
}

function bracketed(name: string): string {
  return isIPv6(name) ? `[${name}]` : name;
}

const valid = fc.oneof({ weight: 4, arbitrary: overTcp }, { weight: 1, arbitrary: overUnix });
const words = [
  "redis",
  "unix",
  "rediss+cluster",
  "://",
  ":",
  "@",
  "/",
  ",",
  "h",
  "[",
  "]",
  "::1",
  "?db=",
  "1",
  "%",
  `:${MARK}@`,
];
const wrong = fc
  .oneof(
    { weight: 4, arbitrary: faulty(valid.map(({ url }) => url)) },
    { weight: 2, arbitrary: jumble(...words) },
    { weight: 2, arbitrary: anyText.map((rest) => `redis://:${MARK}@${rest}`) },
    { weight: 1, arbitrary: anyText },
  )
  .map((url): Written => ({ url }));

export const serverUrl = parser(
  "server-url",
  fc.oneof(valid, wrong),
  ({ url, server }) => {
    const result = outcome(() => parseServerUrl(url));
    if (!("value" in result)) {
      if (server !== undefined) throw new Error(`Refused: ${result.error}`);
      checkComplaint(result.error, ["`server`"], 500);
      if (JSON.stringify({ ...result.error, message: result.error.message }).includes(MARK))
        throw new Error("Shows a password");
      return;
    }
    const found = result.value;
    if (server !== undefined) deepStrictEqual(found, server);
    found.addresses.forEach(checkAddress);
    if (found.kind === "standalone" && found.path === undefined) checkAsNode(url, found);
  },
  {
    parse: (rest) => parseServerUrl(`redis+sentinel://${rest}`),
    repeated: ["a", ",", "@", ":", "/", "%", "[", "a,", ":@"],
  },
);

/** The URLs of the platform must take each host and port for the same. */
function checkAddress({ host: name, port }: Address): void {
  const { hostname, port: digits } = new URL(`redis://${bracketed(name)}:${port}`);
  deepStrictEqual([decodeURIComponent(hostname), digits], [hostOf(name), String(port)]);
}

function hostOf(name: string): string {
  return isIPv6(name) ? new URL(`redis://[${name}]`).hostname : name;
}

/** What one server is called must be read as the platform reads it. */
function checkAsNode(url: string, { addresses, username, password, db }: Server): void {
  const { hostname, port, ...rest } = partsOf(new URL(url));
  const [{ host: name, port: number }] = addresses as [Address];
  deepStrictEqual([hostname, Number(port || 6379)], [hostOf(name), number]);
  deepStrictEqual(rest, { username: username ?? "", password: password ?? "", db: db ?? 0, more: "" });
}

function partsOf({ hostname, port, username, password, pathname, search, hash }: URL) {
  const [host, user, pass] = [hostname, username, password].map(decodeURIComponent);
  return {
    hostname: host,
    port,
    username: user,
    password: pass,
    db: Number(pathname.slice(1)),
    more: search + hash,
  };
}
