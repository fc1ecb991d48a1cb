import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { MemoryStore } from "../../src/index.js";
import { Gate, type Quotas, type ThrottleOptions } from "../../src/integrations/gate.js";
import { ManualClock } from "../../src/testing.js";

/** A request as tests make them up. */
interface Asked {
  readonly address?: string;
  readonly forwardedFor?: string;
  readonly tier?: string;
}

function gate(options: ThrottleOptions<Asked> = {}): Gate<Asked> {
  const store = new MemoryStore({ clock: new ManualClock() });
  return new Gate<Asked>({ store, ...options }, ({ address, forwardedFor }) => ({
    remoteAddress: address,
    forwardedFor,
  }));
}

const policyOf = async (gate: Gate<Asked>, asked: Asked): Promise<string | undefined> =>
  (await gate.check({ ...asked })).headers[0]?.[1];

describe("an option that is wrong", () => {
  test.each<[object, string]>([
    [{ quota: "often" }, 'Expected `quota` to be like "10/s"'],
    [{ quota: [] }, "Expected `quota` to be at least one quota, got an array"],
    [{ quota: null }, "Expected `quota` to be an object"],
    [{ using: "magic" }, "Expected `using` to be one of"],
    [{ store: {} }, "Expected `store` to be a store, got an object"],
    [{ prefix: 1 }, "Expected `prefix` to be a string, got 1"],
    [{ key: "me" }, 'Expected `key` to be a function, got "me"'],
    [{ cost: -1 }, "Expected `cost` to be a non-negative integer, got -1"],
    [{ cost: "1" }, 'Expected `cost` to be a non-negative integer, got "1"'],
    [{ skip: true }, "Expected `skip` to be a function, got true"],
    [{ headers: "draft-6" }, "Expected `headers` to be one of draft-10, draft-7, legacy, got"],
    [{ headers: true }, "Expected `headers` to be one of draft-10, draft-7, legacy, got true"],
    [{ statusCode: 200 }, "Expected `statusCode` to be a status from 400 to 599, got 200"],
    [{ statusCode: 399 }, "Expected `statusCode` to be a status from 400 to 599, got 399"],
    [{ statusCode: 600 }, "Expected `statusCode` to be a status from 400 to 599, got 600"],
    [{ statusCode: "429" }, 'Expected `statusCode` to be a status from 400 to 599, got "429"'],
    [{ onLimited: {} }, "Expected `onLimited` to be a function, got an object"],
    [{ refundOn: 500 }, "Expected `refundOn` to be a function, got 500"],
    [{ trustProxy: true }, "Expected `trustProxy` to be a number of proxies or a list of networks, got true"],
    [{ max: 5 }, 'Unknown option "max" in `options`, expected one of `quota`, `using`, '],
    [{ quota: () => "1/s", using: "magic" }, "Expected `using` to be one of"],
  ])("shows at once: %j", (options, message) => {
    expect(() => gate(options)).toThrow(message);
  });

  test.each([400, 599])("is no status of %i", (statusCode) => {
    expect(() => gate({ statusCode })).not.toThrow();
  });

  test.each<[object, string]>([
    [{ quota: () => "often" }, 'Expected `quota` to be like "10/s"'],
    [{ quota: () => null }, "Expected `quota` to be an object"],
    [{ key: () => undefined }, "Expected `key` to be a string of 1 to 512 UTF-8 bytes, got undefined"],
    [{ key: () => undefined, prefix: "api" }, "Expected `key` to be a string of 1 to 512 UTF-8 bytes, got"],
    [{ key: () => "", prefix: "api" }, "Expected `key` to be a string of 1 to 512 UTF-8 bytes, got"],
    [{ cost: () => 0.5 }, "Expected `cost` to be a non-negative integer, got 0.5"],
  ])("shows when a function answers it: %j", async (options, message) => {
    await expect(gate(options).check({ address: "192.0.2.1" })).rejects.toThrow(message);
  });
});

describe("whom a request counts for", () => {
  const left = async (gate: Gate<Asked>, asked: Asked): Promise<number> =>
    Number(/r=(\d+)/.exec((await gate.check({ ...asked })).headers[1]![1])![1]);

  test("is the address of the connection, in the network of one client", async () => {
    const limiter = gate({ quota: "9/h" });
    expect(await left(limiter, { address: "192.0.2.1", forwardedFor: "192.0.2.7" })).toBe(8);
    expect(await left(limiter, { address: "::ffff:192.0.2.1", forwardedFor: "192.0.2.8" })).toBe(7);
    expect(await left(limiter, { address: "2001:db8::1" })).toBe(8);
    expect(await left(limiter, { address: "2001:db8:0:00ff::2" })).toBe(7);
    expect(await left(limiter, { address: "2001:db8:0:0100::2" })).toBe(8);
  });

  test("is one for all whose connections have no address", async () => {
    const limiter = gate({ quota: "9/h" });
    expect(await left(limiter, {})).toBe(8);
    expect(await left(limiter, { forwardedFor: "192.0.2.7" })).toBe(7);
  });

  test("is told by a trusted proxy", async () => {
    const limiter = gate({ quota: "9/h", trustProxy: ["10.0.0.0/8"] });
    expect(await left(limiter, { address: "10.0.0.1", forwardedFor: "192.0.2.7" })).toBe(8);
    expect(await left(limiter, { address: "10.0.0.2", forwardedFor: "10.0.0.1, 192.0.2.7" })).toBe(7);
    expect(await left(limiter, { address: "192.0.2.7", forwardedFor: "192.0.2.8" })).toBe(6);
  });

  test("differs by the prefix, on one store", async () => {
    const store = new MemoryStore({ clock: new ManualClock() });
    const [one, other] = ["one", "other"].map((prefix) => gate({ quota: "9/h", store, prefix }));
    expect([await left(one!, {}), await left(one!, {}), await left(other!, {})]).toEqual([8, 7, 8]);
  });
});

describe("quotas by request", () => {
  test("keep one state for each quota, however it is written down", async () => {
    const quota = ({ tier = "" }: Asked) =>
      new Map<string, Quotas>([
        ["text", "5/m"],
        ["object", { limit: 5, period: "1m" }],
        ["list", ["5/m"]],
      ]).get(tier);
    const limiter = gate({ quota });
    for (const [i, tier] of ["text", "object", "list"].entries()) {
      const { headers } = await limiter.check({ tier });
      expect(headers[1]![1]).toBe(`"5-in-60s";r=${4 - i};t=${12 * (i + 1)}`);
    }
    expect(await limiter.check({ tier: "none" })).toEqual({ headers: [] });
  });

  test("may be many thousands of different ones, and still each counts", async () => {
    let limit = 0;
    const limiter = gate({ quota: () => ({ limit, period: "1h" }) });
    for (limit = 1; limit <= 2_500; limit++) {
      expect(await policyOf(limiter, {})).toBe(`"${limit}-in-3600s";q=${limit};w=3600`);
    }
    limit = 2_500;
    expect((await limiter.check({})).headers[1]![1]).toContain("r=2498;");
  });
});

test("what onLimited throws, now or later, changes nothing", async () => {
  const failures = [
    () => {
      throw new Error("now");
    },
    async () => {
      throw new Error("later");
    },
  ];
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  try {
    for (const onLimited of failures) {
      const limiter = gate({ quota: "1/h", onLimited });
      await limiter.check({});
      expect((await limiter.check({})).refusal?.status).toBe(429);
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).not.toHaveBeenCalled();
  } finally {
    process.off("unhandledRejection", unhandled);
  }
});

test("a limiter without headers is not told of by those around it", async () => {
  const [open, hidden] = [gate({ quota: "9/h" }), gate({ quota: "1/h", headers: false })];
  const request = {};
  expect((await hidden.check(request)).headers).toEqual([]);
  expect((await open.check(request)).headers[0]![1]).toBe('"9-in-3600s";q=9;w=3600');
  expect((await hidden.check(request)).headers).toEqual([["Retry-After", "3600"]]);
});

test("no header says what a client sent, whatever it sends", async () => {
  const limiter = gate({ quota: "5/h; 9/d", trustProxy: 1 });
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\r\n", "a\r\nb: c", "192.0.2.1\r\n"));
  await fc.assert(
    fc.asyncProperty(text, async (forwardedFor) => {
      const { headers, refusal } = await limiter.check({ address: "10.0.0.1", forwardedFor });
      expect(headers.every(([name, value]) => /^[\w-]+$/.test(name) && /^[\w",;= -]+$/.test(value))).toBe(
        true,
      );
      if (refusal) expect(refusal.body).toMatch(/^[\w"{}:[\],;=/.# -]+$/);
    }),
    { numRuns: 2_000 },
  );
});
