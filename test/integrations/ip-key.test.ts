import { describe, expect, test } from "vitest";
import { clientAddressBehind, ipKey, type TrustProxy } from "../../src/integrations/http.js";

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
    [`fe80::1%${"a".repeat(56)}`, "fe80::/56"],
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
    "1.2.3.4%eth0:",
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
    `fe80::1%${"a".repeat(57)}`,
  ])("is a TypeError for %j", (address) => {
    expect(() => ipKey(address)).toThrow(TypeError);
  });

  test.each([
    ["ffff::1", 1, "8000::/1"],
    ["1:2:3:4:5:6:7:8", 128, "1:2:3:4:5:6:7:8/128"],
    ["2001:db8:0:0:1:0:0:1", 128, "2001:db8::1:0:0:1/128"],
    ["1:0:0:2:0:0:0:3", 128, "1:0:0:2::3/128"],
    ["1:0:2:3:4:5:6:0", 128, "1:0:2:3:4:5:6:0/128"],
    ["0:0:1:0:0:ffff:1.2.3.4", 128, "::1:0:0:ffff:102:304/128"],
  ])("of %s with a prefix of %i is %s", (address, ipv6Prefix, key) => {
    expect(ipKey(address, { ipv6Prefix })).toBe(key);
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
});

describe("the client's address", () => {
  const address = (trust: TrustProxy, forwardedFor?: string, remote: string | undefined = "10.0.0.1") =>
    clientAddressBehind(trust)(remote, forwardedFor);

  test.each<[TrustProxy, string | undefined, string]>([
    [0, "192.0.2.1", "10.0.0.1"],
    [[], "192.0.2.1", "10.0.0.1"],
    [1, undefined, "10.0.0.1"],
    [1, "192.0.2.1%a:b", "10.0.0.1"],
    [1, "", "10.0.0.1"],
    [1, "192.0.2.1", "192.0.2.1"],
    [1, "203.0.113.9, 192.0.2.1", "192.0.2.1"],
    [2, "203.0.113.9, 192.0.2.1", "203.0.113.9"],
    [3, "203.0.113.9, 192.0.2.1", "203.0.113.9"],
    [2, "203.0.113.9, 198.51.100.7, 192.0.2.1", "198.51.100.7"],
    [2, "spoofed, 192.0.2.1", "192.0.2.1"],
    [2, "203.0.113.9,, 192.0.2.1", "192.0.2.1"],
    [1, "192.0.2.1:4711", "192.0.2.1"],
    [1, "[2001:db8::1]:4711", "2001:db8::1"],
    [1, "[2001:db8::1]", "2001:db8::1"],
    [1, "198.51.100.100:80", "198.51.100.100"],
    [1, "198.51.100.100:80x", "10.0.0.1"],
    [1, "x198.51.100.100:80", "10.0.0.1"],
    [1, "[2001:db8::1]x", "10.0.0.1"],
    [1, "[2001:db8::1]:x", "10.0.0.1"],
    [1, "x[2001:db8::1]", "10.0.0.1"],
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

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("is a RangeError for %s proxies", (trust) => {
    expect(() => clientAddressBehind(trust)).toThrow(
      new RangeError(`Expected \`trustProxy\` to be a number of proxies or a list of networks, got ${trust}`),
    );
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
    expect(() => clientAddressBehind(trust as never)).toThrow(
      /^Expected `trustProxy` to be (a number of proxies or a list of networks|networks such as "10.0.0.0\/8"), got /,
    );
  });
});
