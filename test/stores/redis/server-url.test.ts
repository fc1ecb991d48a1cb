import { describe, expect, test } from "vitest";
import { parseServerUrl, type ServerOptions } from "../../../src/stores/redis/server-url.js";

const FORMS =
  "Expected `server` to be a URL like redis://[[user]:password@]host[:6379][/db], rediss://… for TLS, valkey(s)://… or unix:///path.sock[?db=0]; ";

test.each<[string, ServerOptions]>([
  ["redis://localhost", { host: "localhost", port: 6379 }],
  ["redis://localhost/", { host: "localhost", port: 6379 }],
  ["redis://localhost:7000", { host: "localhost", port: 7000 }],
  ["redis://localhost:1/0", { host: "localhost", port: 1, db: 0 }],
  ["redis://localhost:65535/15", { host: "localhost", port: 65_535, db: 15 }],
  ["redis://10.0.0.1/2", { host: "10.0.0.1", port: 6379, db: 2 }],
  ["valkey://cache.example.org", { host: "cache.example.org", port: 6379 }],
  ["REDIS://Example.org", { host: "Example.org", port: 6379 }],
  ["redis://[::1]", { host: "::1", port: 6379 }],
  ["redis://[2001:db8::1]:7000/3", { host: "2001:db8::1", port: 7000, db: 3 }],
  ["redis://:pw@[::1]:7000", { host: "::1", port: 7000, password: "pw" }],
  ["redis://:secret@h", { host: "h", port: 6379, password: "secret" }],
  ["redis://user:secret@h", { host: "h", port: 6379, username: "user", password: "secret" }],
  ["redis://user:@h", { host: "h", port: 6379, username: "user" }],
  ["redis://:a:b:c@h", { host: "h", port: 6379, password: "a:b:c" }],
  [
    "redis://u%40x:p%40s%2Fs%3A%23%3F%25@h",
    { host: "h", port: 6379, username: "u@x", password: "p@s/s:#?%" },
  ],
  ["redis://:p%C3%A4ss@h", { host: "h", port: 6379, password: "päss" }],
  ["redis://:+plus+@h", { host: "h", port: 6379, password: "+plus+" }],
  ["unix:///var/run/redis.sock", { path: "/var/run/redis.sock" }],
  ["unix:///var/run/redis.sock?db=2", { path: "/var/run/redis.sock", db: 2 }],
  ["unix:///tmp/with%20space%3F.sock", { path: "/tmp/with space?.sock" }],
  ["rediss://h.example.org", { host: "h.example.org", port: 6379, tls: { servername: "h.example.org" } }],
  ["REDISS://h", { host: "h", port: 6379, tls: { servername: "h" } }],
  ["valkeys://:pw@h:1/1", { host: "h", port: 1, db: 1, password: "pw", tls: { servername: "h" } }],
  ["rediss://10.0.0.1", { host: "10.0.0.1", port: 6379, tls: {} }],
  ["rediss://[::1]", { host: "::1", port: 6379, tls: {} }],
])("%s is understood", (url, options) => {
  expect(parseServerUrl(url)).toEqual(options);
});

describe("a URL that is refused", () => {
  test.each([
    ["", "it has no scheme"],
    ["localhost:6379", "it has no scheme"],
    ["localhost", "it has no scheme"],
    ["//localhost", "it has no scheme"],
    ["redis:localhost", "it has no scheme"],
    ["/tmp/redis.sock", "it has no scheme"],
    ["http://localhost", 'the scheme "http" is not known'],
    ["redi://localhost", 'the scheme "redi" is not known'],
    ["redis://", "its host, port or database is not of that form"],
    ["redis://:6379", "its host, port or database is not of that form"],
    ["redis://h:port", "its host, port or database is not of that form"],
    ["redis://h:123456", "its host, port or database is not of that form"],
    ["redis://h:-1", "its host, port or database is not of that form"],
    ["redis://h/name", "its host, port or database is not of that form"],
    ["redis://h/-1", "its host, port or database is not of that form"],
    ["redis://h/1/2", "its host, port or database is not of that form"],
    ["redis://h?db=1", "its host, port or database is not of that form"],
    ["redis://h#1", "its host, port or database is not of that form"],
    ["redis://::1", "its host, port or database is not of that form"],
    ["redis://[::1", "its host, port or database is not of that form"],
    ["redis://h1,h2:1:2", "its host, port or database is not of that form"],
    ["redis://h:0", "its port is not 1 to 65535"],
    ["redis://h:65536", "its port is not 1 to 65535"],
    ["redis://pass@h", "its credentials are not of that form; percent-encode them"],
    ["redis://:p@ss@h", "its credentials are not of that form; percent-encode them"],
    ["redis://:p/ss@h", "its credentials are not of that form; percent-encode them"],
    ["redis://:p#ss@h", "its credentials are not of that form; percent-encode them"],
    ["redis://:p?ss@h", "its credentials are not of that form; percent-encode them"],
    ["redis://:100%@h", "its percent-encoding is broken"],
    ["redis://:%ff@h", "its percent-encoding is broken"],
    ["unix://", "its path or its query is not of that form"],
    ["unix://relative.sock", "its path or its query is not of that form"],
    ["unix:///a.sock?db=", "its path or its query is not of that form"],
    ["unix:///a.sock?db=x", "its path or its query is not of that form"],
    ["unix:///a.sock?password=x", "its path or its query is not of that form"],
    ["unix:///%zz", "its percent-encoding is broken"],
  ])("%j says what is wrong with it", (url, problem) => {
    expect(() => parseServerUrl(url)).toThrow(new TypeError(FORMS + problem));
  });

  test.each([
    "redis://user-of-mine:hunter2@",
    "redis://user-of-mine:hunter2@h:port",
    "redis://user-of-mine:hunter2@h:99999",
    "redis://user-of-mine:hunter2@h/db",
    "redis://user-of-mine:hunter2@@h",
    "redis://user-of-mine:hunter2/@h",
    "redis://user-of-mine:hunter2%@h",
    "redis://hunter2@h",
    "redis:user-of-mine:hunter2@h",
    "user-of-mine:hunter2@h",
    "http://user-of-mine:hunter2@h",
    "unix://user-of-mine:hunter2@/tmp/a.sock",
    "unix:///tmp/a.sock?password=hunter2",
  ])("%j is not shown, as it may hold a password", (url) => {
    let message = "";
    try {
      parseServerUrl(url);
    } catch (error) {
      message = String((error as Error).stack);
    }
    expect(message).toContain("Expected `server` to be a URL like");
    expect(message).not.toMatch(/hunter2|user-of-mine/);
  });
});
