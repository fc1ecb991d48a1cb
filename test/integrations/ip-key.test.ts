import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clientAddressBehind, ipKey, type TrustProxy } from "../../src/integrations/http.js";

/** All eight groups of an IPv6 address. */
const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
  minLength: 8,
  maxLength: 8,
});
const hex = (numbers: readonly number[]): string => numbers.map((number) => number.toString(16)).join(":");
const flipped = (numbers: readonly number[], bit: number): number[] =>
  numbers.map((number, i) => (i === bit >> 4 ? number ^ (0x8000 >> (bit & 15)) : number));
/** As Node writes it, which is the way of RFC 5952. */
const canonical = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1);

/** Text that is nearly an address, or one. */
const nearly = fc
  .array(
    fc.constantFrom(":", "::", ".", "0", "00", "1", "9", "255", "256", "f", "ffff", "fffff", "1.2.3.4"),
    {
      maxLength: 16,
    },
  )
  .map((parts) => parts.join(""));

describe("ipKey", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:0201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1%eth0", "192.0.2.1"],
    ["2001:db8:0:ab12:1:2:3:4", "2001:db8:0:ab00::/56"],
    ["2001:0DB8::ab12:1:2:3:4", "2001:db8:0:ab00::/56"],
    ["2001:db8::1", "2001:db8::/56"],
    ["fe80::1%eth0", "fe80::/56"],
    ["fe80::1%1", "fe80::/56"],
    ["::", "::/56"],
    ["::1", "::/56"],
    ["::192.0.2.1", "::/56"],
    ["64:ff9b::192.0.2.1", "64:ff9b::/56"],
  ])("of %s is %s", (address, key) => {
    expect(ipKey(address)).toBe(key);
  });

  test.each([
    "",
    " ",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4:80",
    "1.2.3.4%eth0",
    "[::1]",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    ":1:2:3:4:5:6:7:8",
    "12345::",
    "g::",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::1%",
    "::1\n",
    "1:\n2:3",
    "::1%a\r\nSet-Cookie: a=b",
  ])("is a TypeError for %j", (address) => {
    expect(() => ipKey(address)).toThrow(TypeError);
  });

  test.each([undefined, null, 1, {}, []])("is a TypeError for %s, which is no text", (address) => {
    expect(() => ipKey(address as never)).toThrow(/^Expected `address` to be an IP address, got /);
  });

  test.each([0, 129, 1.5, Number.NaN, "56"])("is a RangeError for a prefix of %s", (ipv6Prefix) => {
    expect(() => ipKey("::1", { ipv6Prefix } as never)).toThrow(
      /^Expected `ipv6Prefix` to be an integer from 1 to 128, got /,
    );
  });

  test("knows its options", () => {
    expect(() => ipKey("::1", { prefix: 64 } as never)).toThrow(/Unknown option "prefix"/);
  });

  test("takes what Node takes for an address, and nothing else", () => {
    fc.assert(
      fc.property(fc.oneof(nearly, fc.ipV6(), fc.ipV4(), fc.string({ unit: "binary" })), (text) => {
        fc.pre(!text.includes("%"));
        if (isIP(text) === 0) expect(() => ipKey(text)).toThrow(TypeError);
        else if (isIPv4(text)) expect(ipKey(text)).toBe(text);
        else expect(ipKey(text)).toMatch(/^[0-9a-f:.]+(\/56)?$/);
      }),
      { numRuns: 20_000 },
    );
  });

  test("is the shortest way to write the network, as Node writes addresses", () => {
    fc.assert(
      fc.property(groups, (numbers) => {
        const address = hex(numbers);
        fc.pre(!canonical(address).startsWith("::ffff:"));
        expect(ipKey(address, { ipv6Prefix: 128 })).toBe(`${canonical(address)}/128`);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is the same for all ways to write an address", () => {
    fc.assert(
      fc.property(groups, (numbers) => {
        const long = numbers.map((number) => number.toString(16).padStart(4, "0")).join(":");
        const [a, b, c, d] = numbers.slice(6).flatMap((number) => [number >> 8, number & 255]);
        const ways = [long.toUpperCase(), canonical(long), `${long}%eth0`];
        ways.push(`${hex(numbers.slice(0, 6))}:${a}.${b}.${c}.${d}`);
        expect(new Set(ways.map((way) => ipKey(way))).size).toBe(1);
      }),
      { numRuns: 500 },
    );
  });

  test("tells networks of 1 to 128 bits apart where Node does", () => {
    for (let ipv6Prefix = 1; ipv6Prefix <= 128; ipv6Prefix++) {
      fc.assert(
        fc.property(groups, fc.integer({ min: 0, max: 127 }), (numbers, bit) => {
          const [one, other] = [hex(numbers), hex(flipped(numbers, bit))];
          fc.pre([one, other].every((address) => !canonical(address).startsWith("::ffff:")));
          const network = new BlockList();
          network.addSubnet(one, ipv6Prefix, "ipv6");
          const isSame = ipKey(one, { ipv6Prefix }) === ipKey(other, { ipv6Prefix });
          expect(isSame).toBe(network.check(other, "ipv6"));
        }),
        { numRuns: 20 },
      );
    }
  });
});

describe("the client's address", () => {
  const address = (trust: TrustProxy, forwardedFor?: string, remote: string | undefined = "10.0.0.1") =>
    clientAddressBehind(trust)(remote, forwardedFor);

  test("is that of the connection as long as nobody is trusted", () => {
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string()), (forwardedFor) => {
        expect(address(0, forwardedFor)).toBe("10.0.0.1");
        expect(address([], forwardedFor)).toBe("10.0.0.1");
      }),
    );
  });

  test.each<[TrustProxy, string | undefined, string]>([
    [1, undefined, "10.0.0.1"],
    [1, "", "10.0.0.1"],
    [1, "192.0.2.1", "192.0.2.1"],
    [1, "203.0.113.9, 192.0.2.1", "192.0.2.1"],
    [2, "203.0.113.9, 192.0.2.1", "203.0.113.9"],
    [3, "203.0.113.9, 192.0.2.1", "203.0.113.9"],
    [2, "spoofed, 192.0.2.1", "192.0.2.1"],
    [2, "203.0.113.9,, 192.0.2.1", "192.0.2.1"],
    [1, "192.0.2.1:4711", "192.0.2.1"],
    [1, "[2001:db8::1]:4711", "2001:db8::1"],
    [1, "[2001:db8::1]", "2001:db8::1"],
    [1, "2001:db8::1", "2001:db8::1"],
    [1, " \t192.0.2.1 ", "192.0.2.1"],
    [1, "unknown", "10.0.0.1"],
    [1, "_hidden", "10.0.0.1"],
    [["10.0.0.0/8"], "192.0.2.1", "192.0.2.1"],
    [["10.0.0.0/8"], "203.0.113.9, 192.0.2.1", "192.0.2.1"],
    [["10.0.0.0/8"], "203.0.113.9, 192.0.2.1, 10.9.9.9", "192.0.2.1"],
    [["10.0.0.0/8", "192.0.2.1"], "203.0.113.9, 192.0.2.1", "203.0.113.9"],
    [["10.0.0.0/8"], "10.1.1.1, 10.2.2.2", "10.1.1.1"],
    [["::ffff:10.0.0.1"], "192.0.2.1", "192.0.2.1"],
    [["10.0.0.1/32"], "192.0.2.1", "192.0.2.1"],
    [["10.0.0.2"], "192.0.2.1", "10.0.0.1"],
    [["2001:db8::/32"], "192.0.2.1", "10.0.0.1"],
    [["0.0.0.0/0"], "192.0.2.1", "192.0.2.1"],
  ])("behind %j with %j is %s", (trust, forwardedFor, client) => {
    expect(address(trust, forwardedFor)).toBe(client);
  });

  test("is found behind a proxy with an IPv6 address, mapped or not", () => {
    expect(address(["10.0.0.0/8"], "192.0.2.1", "::ffff:10.3.2.1")).toBe("192.0.2.1");
    expect(address(["2001:db8::/32"], "192.0.2.1", "2001:db8:1::1%eth0")).toBe("192.0.2.1");
    expect(address(["2001:db8::/32"], "192.0.2.1", "2001:db9::1")).toBe("2001:db9::1");
  });

  test("is none where the connection has none, whatever a header says", () => {
    expect(clientAddressBehind(1)(undefined, "192.0.2.1")).toBeUndefined();
  });

  test("does not change by what a client adds to the header in front of the proxies", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())), (spoofed) => {
        const forwardedFor = [...spoofed, "192.0.2.1", "10.0.0.2"].join(", ");
        expect(address(2, forwardedFor)).toBe("192.0.2.1");
        expect(address(["10.0.0.0/8"], forwardedFor)).toBe("192.0.2.1");
      }),
    );
  });

  test("is behind those networks that Node would say an address is in", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (remote, network, bits) => {
        const list = new BlockList();
        list.addSubnet(network, bits, "ipv4");
        const isTrusted = address([`${network}/${bits}`], "192.0.2.1", remote) === "192.0.2.1";
        expect(isTrusted).toBe(list.check(remote, "ipv4") || remote === "192.0.2.1");
      }),
    );
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("is a RangeError for %s proxies", (trust) => {
    expect(() => clientAddressBehind(trust)).toThrow(RangeError);
  });

  test.each<unknown>([
    true,
    "10.0.0.0/8",
    null,
    ["10.0.0.0/33"],
    ["::/129"],
    ["10.0.0.0/"],
    ["10.0.0.0/8/8"],
    ["localhost"],
    [10],
  ])("is a TypeError for a trust of %j", (trust) => {
    expect(() => clientAddressBehind(trust as never)).toThrow(/^Expected `trustProxy` to be /);
  });
});

test("100,000 texts and headers of any kind are keys or TypeErrors, and never break out of a line", () => {
  const client = clientAddressBehind(["0.0.0.0/0", "::/0"]);
  const text = fc.oneof(
    nearly,
    fc.string({ unit: "binary" }),
    fc
      .array(fc.oneof(fc.ipV4(), fc.ipV6(), nearly, fc.string()), { maxLength: 4 })
      .map((all) => all.join(",")),
  );
  fc.assert(
    fc.property(text, (each) => {
      const address = client("::1", each)!;
      if (!isIPv4(address) && !isIPv6(address)) throw new Error(`No address: ${address}`);
      try {
        if (!/^[0-9a-f:.]+(\/56)?$/.test(ipKey(each))) throw new Error(`No key: ${ipKey(each)}`);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
    }),
    { numRuns: 100_000 },
  );
});

test("a header of a megabyte takes no longer than its length", () => {
  const client = clientAddressBehind(["0.0.0.0/0", "::/0"]);
  const before = performance.now();
  for (const unit of ["1.1.1.1,", "%", "[", ":", "1.", "0:", " ", ",", "1.1.1.1:1"]) {
    const long = unit.repeat(1_000_000 / unit.length);
    client("10.0.0.1", long);
    client("10.0.0.1", `${long}]:1x`);
    expect(() => ipKey(long)).toThrow(TypeError);
  }
  // Some hundred milliseconds; were it quadratic, hours.
  expect(performance.now() - before).toBeLessThan(20_000);
});
