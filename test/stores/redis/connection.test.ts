import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isStoreError, Limiter } from "../../../src/index.js";
import { RedisStore } from "../../../src/redis.js";
import { type RedisServer, startRedis } from "../../support/redis-server.js";

const PASSWORD = "p@ss/w:rd%?#[ä] +&";
const ENCODED = encodeURIComponent(PASSWORD);

let folder: string;
let socket: string;
let server: RedisServer;
let admin: Redis;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "throttled-socket-"));
  socket = join(folder, "redis server.sock");
  server = await startRedis("--requirepass", PASSWORD, "--unixsocket", socket);
  admin = new Redis({ port: server.port, password: PASSWORD });
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => admin.flushall());

const limiter = new Limiter("gcra", "5/h");

/** The databases that hold keys. */
async function databases(): Promise<number[]> {
  return [...(await admin.info("keyspace")).matchAll(/^db(\d+):/gm)].map(([, db]) => Number(db));
}

async function spend(url: string, redisOptions: object = {}): Promise<void> {
  await using store = new RedisStore(url, { redisOptions });
  expect(await store.decide(limiter, "key", 1, 0)).toMatchObject({ limited: false, remaining: 4 });
}

test.each([
  ["redis", 0, `redis://:${ENCODED}@127.0.0.1`, ""],
  ["redis with a database", 3, `redis://:${ENCODED}@127.0.0.1`, "/3"],
  ["redis with the default user", 0, `redis://default:${ENCODED}@127.0.0.1`, "/0"],
  ["valkey", 5, `valkey://:${ENCODED}@localhost`, "/5"],
  ["VALKEY", 0, `VALKEY://:${ENCODED}@127.0.0.1`, ""],
])("a URL of %s reaches database %i of its server", async (_, db, host, path) => {
  await spend(`${host}:${server.port}${path}`);
  expect(await databases()).toEqual([db]);
});

test.each([
  ["", 0],
  ["?db=0", 0],
  ["?db=2", 2],
])("a Unix socket is reached with %j, its password in `redisOptions`", async (query, db) => {
  await spend(`unix://${encodeURI(socket)}${query}`, { password: PASSWORD });
  expect(await databases()).toEqual([db]);
});

test("a user name of the server's ACL is used, percent-encoding undone", async () => {
  await admin.acl("SETUSER", "app@home", "on", `>${PASSWORD}`, "~throttled:*", "+@all");
  await spend(`redis://${encodeURIComponent("app@home")}:${ENCODED}@127.0.0.1:${server.port}`);
  await using store = new RedisStore(
    `redis://${encodeURIComponent("app@home")}:${ENCODED}@127.0.0.1:${server.port}`,
    { prefix: "elsewhere" },
  );
  await expect(store.decide(limiter, "key", 1, 0)).rejects.toSatisfy(isStoreError);
});

test("a user needs few rights: its keys, and the commands of the scripts", async () => {
  const rights = ["~throttled:*", "+evalsha", "+eval", "+get", "+set", "+del", "+time"];
  await admin.acl("SETUSER", "least", "on", `>${PASSWORD}`, ...rights, "+info", "+hello", "+client");
  const url = `redis://least:${ENCODED}@127.0.0.1:${server.port}`;
  await spend(url);
  await using store = new RedisStore(url);
  await store.decide(limiter, "key", -9, 0);
  await store.reset(limiter, "key");
});

describe("a URL that the constructor refuses", () => {
  test("throws at once and opens nothing", () => {
    expect(() => new RedisStore("localhost:6379")).toThrow(TypeError);
    expect(() => new RedisStore("")).toThrow("it has no scheme");
    expect(() => new RedisStore(`redis://:${PASSWORD}@localhost`)).toThrow("percent-encode");
  });
});
