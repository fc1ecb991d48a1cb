// Calls limiters as fast as it can, by a script that also writes down what it was asked, key by key in the order in which the
// server carried it out. Input: { url, cluster, prefix, process, processes, ops, lanes, limiters, keys }; sends what each call
// was told, and when it was made and answered.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Cluster, Redis } from "ioredis";
import { Throttled } from "throttled";
import { RedisStore } from "throttled/redis";

const input = JSON.parse(process.argv[2]);

/** What comes before the answer about a key, and stands in the script only once. */
const BEFORE_ANSWER = "reply[1 + i] = problem and";
const WRITE_DOWN = "call('RPUSH', '{' .. key .. '}:history', format('%d ', now) .. text)\n  ";

/** A client that calls the script which writes down instead of the one that it is given. */
function writingDown(client) {
  const digests = new Map();
  return {
    isCluster: client.isCluster,
    del: (key) => client.del(key),
    async eval(source, ...rest) {
      if (source.split(BEFORE_ANSWER).length !== 2) throw new Error("The script is not what it was");
      const written = source.replace(BEFORE_ANSWER, WRITE_DOWN + BEFORE_ANSWER);
      const sha = (text) => createHash("sha1").update(text).digest("hex");
      digests.set(sha(source), sha(written));
      return client.eval(written, ...rest);
    },
    async evalsha(digest, ...rest) {
      if (!digests.has(digest)) throw Object.assign(new Error("NOSCRIPT"), { name: "ReplyError" });
      return client.evalsha(digests.get(digest), ...rest);
    },
  };
}

const { hostname, port } = new URL(input.url);
const client = input.cluster ? new Cluster([{ host: hostname, port: Number(port) }]) : new Redis(input.url);
const store = new RedisStore(writingDown(client), { prefix: input.prefix, deadline: "20s" });
const limiters = input.limiters.map((options) => new Throttled({ ...options, store }));
const keys = Array.from({ length: input.keys }, (_, i) => `key ${i}`);

let seed = input.process + 1;
function random(most) {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % most;
}

// Every call has units of its own, by which it is told apart in what the script wrote down.
let calls = 0;
const nextUnits = () => 1_000_000 + calls++ * input.processes + input.process;

const told = [];
/** What passed, to be given back at times. */
const passed = [];

async function one(limiter, key) {
  const units = nextUnits();
  const start = process.hrtime.bigint();
  const result = await limiters[limiter].limit(keys[key], units).catch(({ message }) => message);
  note(limiter, key, units, start, result);
}

async function many(limiter, key) {
  const some = Array.from({ length: 4 }, (_, i) => ({
    key: (key + i * i) % keys.length,
    units: nextUnits(),
  }));
  const start = process.hrtime.bigint();
  const results = await limiters[limiter]
    .limitMany(some.map(({ key, units }) => ({ key: keys[key], cost: units })))
    .catch(({ message }) => some.map(() => message));
  for (const [i, { key, units }] of some.entries()) note(limiter, key, units, start, results[i]);
}

function note(limiter, key, units, start, result) {
  if (result.limited === false) passed.push([limiter, key]);
  told.push([limiter, key, units, String(start), String(process.hrtime.bigint()), result]);
}

async function giveBack() {
  const [limiter, key] = passed.splice(random(passed.length), 1)[0];
  const units = nextUnits();
  const start = process.hrtime.bigint();
  const result = await limiters[limiter].refund(keys[key], units).catch(({ message }) => message);
  told.push([limiter, key, -units, String(start), String(process.hrtime.bigint()), result ?? null]);
}

async function lane() {
  while (calls < input.ops) {
    const [limiter, key, kind] = [random(limiters.length), random(keys.length), random(10)];
    if (kind < 2 && passed.length > 0) await giveBack();
    else if (kind < 4) await many(limiter, key);
    else await one(limiter, key);
  }
}

await limiters[0].peek("nobody");
process.send("ready");
await once(process, "message");
await Promise.all(Array.from({ length: input.lanes }, lane));
process.send(told);
client.disconnect();
