import { describe, expect, test } from "vitest";
import { RedisStore } from "../../../src/redis.js";
import { parseServerUrl, type Server } from "../../../src/stores/redis/server-url.js";

const STANDALONE = { kind: "standalone", tls: false } as const;
const SENTINEL = { kind: "sentinel", tls: false, service: "mymaster" } as const;
const CLUSTER = { kind: "cluster", tls: false } as const;

function at(host: string, port = 6379) {
  return { addresses: [{ host, port }] };
}

describe("a server", () => {
  test.each<[string, Server]>([
    ["redis://localhost", { ...STANDALONE, ...at("localhost") }],
    ["redis://localhost/", { ...STANDALONE, ...at("localhost") }],
    ["redis://10.0.0.1:6380/3", { ...STANDALONE, ...at("10.0.0.1", 6380), db: 3 }],
    ["redis://h/0", { ...STANDALONE, ...at("h"), db: 0 }],
    ["redis://:pass@h", { ...STANDALONE, ...at("h"), password: "pass" }],
    ["redis://user:pass@h:1", { ...STANDALONE, ...at("h", 1), username: "user", password: "pass" }],
    ["redis://user:@h", { ...STANDALONE, ...at("h"), username: "user" }],
    ["redis://:@h", { ...STANDALONE, ...at("h") }],
    ["redis://[::1]", { ...STANDALONE, ...at("::1") }],
    [
      "redis://:p@[2001:db8::7]:65535/1",
      { ...STANDALONE, ...at("2001:db8::7", 65_535), password: "p", db: 1 },
    ],
    ["redis://[::ffff:10.0.0.1]:7", { ...STANDALONE, ...at("::ffff:10.0.0.1", 7) }],
    ["rediss://h", { ...STANDALONE, ...at("h"), tls: true }],
    ["REDISS://h", { ...STANDALONE, ...at("h"), tls: true }],
    ["redis://:a:b:c@h", { ...STANDALONE, ...at("h"), password: "a:b:c" }],
    ["redis://:+plus+@h", { ...STANDALONE, ...at("h"), password: "+plus+" }],
    ["redis://u%40x:p%C3%A4%2F%25@h", { ...STANDALONE, ...at("h"), username: "u@x", password: "pä/%" }],
    ["valkey://h", { ...STANDALONE, ...at("h") }],
    ["valkeys://:p@h", { ...STANDALONE, ...at("h"), tls: true, password: "p" }],
  ])("%s", (url, expected) => {
    expect(parseServerUrl(url)).toEqual(expected);
  });
});

describe("a unix socket", () => {
  test.each([
    ["unix:///run/redis.sock", "/run/redis.sock", 0],
    ["unix:///run/redis.sock?db=7", "/run/redis.sock", 7],
    ["unix:///run/redis.sock?db=123456789", "/run/redis.sock", 123_456_789],
    ["Unix:///tmp/a%20b%3F%23.sock", "/tmp/a b?#.sock", 0],
  ])("%s", (url, path, db) => {
    expect(parseServerUrl(url)).toEqual({ ...STANDALONE, addresses: [], path, db });
  });
});

describe("sentinels and clusters", () => {
  test.each<[string, Server]>([
    ["redis+sentinel://s", { ...SENTINEL, ...at("s", 26_379) }],
    ["redis+sentinel://s:1/", { ...SENTINEL, ...at("s", 1) }],
    ["redis+sentinel://s/my%2Fservice", { ...SENTINEL, ...at("s", 26_379), service: "my/service" }],
    ["rediss+sentinel://s/other", { ...SENTINEL, ...at("s", 26_379), tls: true, service: "other" }],
    ["redis+cluster://c", { ...CLUSTER, ...at("c") }],
    ["redis+cluster://c/", { ...CLUSTER, ...at("c") }],
    ["Rediss+Cluster://u:p@c:1", { ...CLUSTER, ...at("c", 1), tls: true, username: "u", password: "p" }],
    [
      "redis+sentinel://user:pass@a,[::1]:5,b:26380/service",
      {
        ...SENTINEL,
        addresses: [
          { host: "a", port: 26_379 },
          { host: "::1", port: 5 },
          { host: "b", port: 26_380 },
        ],
        username: "user",
        password: "pass",
        service: "service",
      },
    ],
    [
      "redis+cluster://a:1,b",
      {
        ...CLUSTER,
        addresses: [
          { host: "a", port: 1 },
          { host: "b", port: 6379 },
        ],
      },
    ],
  ])("%s", (url, expected) => {
    expect(parseServerUrl(url)).toEqual(expected);
  });
});

const FORMS =
  "Expected `server` to be a URL like redis://[[user]:password@]host[:6379][/db], rediss://… for TLS, " +
  "valkey(s)://…, unix:///path.sock[?db=0], redis(s)+sentinel://[[user]:password@]host[:26379][,host…][/service] or " +
  "redis(s)+cluster://[[user]:password@]host[:6379][,host…]";

describe("anything else is a TypeError that says what is wrong with it", () => {
  const host = "a host or port is not of that form";
  const credentials = "its credentials are not of that form; percent-encode them";
  const rest = "what follows its host is not of that form";
  const path = "its path or its query is not of that form";
  test.each([
    ["", "it has no scheme"],
    ["localhost:6379", "it has no scheme"],
    ["/run/redis.sock", "it has no scheme"],
    ["redis:localhost", "it has no scheme"],
    ["http://h", "its scheme is not known"],
    ["redis+unix:///s", "its scheme is not known"],
    ["redis+tls://h", "its scheme is not known"],
    [" redis://h", "its scheme is not known"],
    ["constructor://h", "its scheme is not known"],
    ["://h", "its scheme is not known"],
    ["redis://", host],
    ["redis:///0", host],
    ["redis://:6379", host],
    ["redis://h:", host],
    ["redis://h:0x50", host],
    ["redis://h:123456", host],
    ["redis://h:-1", host],
    ["redis://h\n", host],
    ["redis://h h", host],
    ["redis://h%2e", host],
    ["redis://h\0", host],
    ["redis://\u0085", host],
    ["redis://h\\x", host],
    ["redis://<h>", host],
    ["redis+cluster://a,b|c^d", host],
    ["redis://\ud800:p@h", "it is not well-formed Unicode"],
    ["redis://::1", host],
    ["redis://[::1", host],
    ["redis://[10.0.0.1]", host],
    ["redis://[7]", host],
    ["redis://[1:::2]", host],
    ["redis://[fe80::1%25eth0]", host],
    ["redis://h?db=1", host],
    ["redis://h#1", host],
    ["redis+cluster://a,,b", host],
    ["redis+sentinel://a,", host],
    ["redis://h:0", "a port is not from 1 to 65535"],
    ["redis://h:65536", "a port is not from 1 to 65535"],
    ["redis://a,b", "it names several hosts"],
    ["redis://h/one", rest],
    ["redis://h/1/2", rest],
    ["redis://h/-1", rest],
    ["redis://h/1?x=2", rest],
    ["redis://h/1234567890", rest],
    ["redis+cluster://h/1", rest],
    ["redis+sentinel://h/a/b", "its service is not of that form"],
    ["redis+sentinel://h/a?b", "its service is not of that form"],
    ["redis://pass@h", credentials],
    ["redis://u:p@ss@h", credentials],
    ["redis://u:p/w@h", credentials],
    ["redis://:p#w@h", credentials],
    ["redis://:p w@h", credentials],
    ["redis://:%zz@h", "its percent-encoding is broken"],
    ["redis://:%ff@h", "its percent-encoding is broken"],
    ["redis+sentinel://h/%e0%a4", "its percent-encoding is broken"],
    ["unix://run/redis.sock", path],
    ["unix://", path],
    ["unix:///", path],
    ["unix:///s?db=one", path],
    ["unix:///s?db=1&x=2", path],
    ["unix:///s?x=2&db=1", path],
    ["unix:///s?db=1234567890", path],
    ["unix:///s?db=1?db=2", path],
    ["unix:///s#1", path],
    ["unix:///%zz", "its percent-encoding is broken"],
  ])("%j", (url, problem) => {
    expect(() => parseServerUrl(url)).toThrow(new TypeError(`${FORMS}; ${problem}`));
    expect(() => new RedisStore(url)).toThrow(new TypeError(`${FORMS}; ${problem}`));
  });
});

test("no error shows a secret, nor where the scheme is missing or belongs to nobody", () => {
  for (const url of [
    "user:s3cr3t@h",
    ":s3cr3t@h:6379",
    "s3cr3t://h",
    "redis:/:s3cr3t@h",
    "s3cr3t@redis://h",
    "redis://:s3cr3t@h:x",
  ]) {
    expect(() => parseServerUrl(url)).toThrow(TypeError);
    expect(() => parseServerUrl(url)).not.toThrow(/s3cr3t/);
  }
});
