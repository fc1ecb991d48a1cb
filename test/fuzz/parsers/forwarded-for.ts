import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { clientAddressBehind, type TrustProxy } from "../../../src/integrations/ip-key.js";
import { isAddress, Networks, nearlyAddress, validAddress } from "../addresses.js";
import { parser } from "../parser.js";
import { anyText } from "../texts.js";

/** Whom to trust: as this project is told, and as Node finds it. */
interface Trust {
  readonly client: ReturnType<typeof clientAddressBehind>;
  readonly isTrusted: (address: string, hop: number) => boolean;
}

function networks(...list: [address: string, bits: number][]): Trust {
  const all = new Networks();
  for (const [address, bits] of list) all.add(address, bits);
  const told: TrustProxy = list.map((each) => each.join("/"));
  return { client: clientAddressBehind(told), isTrusted: (address) => all.has(address) };
}

const TRUSTS: readonly Trust[] = [
  ...[0, 1, 2, 3].map((hops) => ({
    client: clientAddressBehind(hops),
    isTrusted: (_: string, hop: number) => hop < hops,
  })),
  networks(["10.0.0.0", 8]),
  networks(["10.0.0.0", 8], ["192.0.2.1", 32], ["2001:db8::", 32]),
  networks(["0.0.0.0", 0], ["::", 0]),
];

const known = fc.constantFrom(
  "10.0.0.1",
  "10.255.0.7",
  "192.0.2.1",
  "2001:db8::7",
  "::ffff:10.0.0.9",
  "203.0.113.9",
);
const bare = fc.oneof(known, validAddress);
const entry = fc.oneof(
  { weight: 5, arbitrary: bare },
  {
    weight: 1,
    arbitrary: bare.map((address) => (address.includes(":") ? `[${address}]:4711` : `${address}:80`)),
  },
  { weight: 1, arbitrary: bare.map((address) => ` \t${address} `) },
  { weight: 1, arbitrary: nearlyAddress },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", " ", "unknown", "_hidden", "[::1", "1.2.3.4:", "[1.2.3.4]:1x"),
  },
);
const header = fc.oneof(
  { weight: 9, arbitrary: fc.array(entry, { maxLength: 5 }).map((all) => all.join(",")) },
  { weight: 1, arbitrary: anyText },
);

export const forwardedFor = parser(
  "forwarded-for",
  fc.record({ header, spoofed: anyText, remote: bare, trust: fc.constantFrom(...TRUSTS.keys()) }),
  ({ header: text, spoofed, remote, trust: index }) => {
    const trust = TRUSTS[index]!;
    const { address, isLast } = clientOf(trust, remote, text);
    deepStrictEqual(trust.client(remote, text), address);
    // What a client adds in front of the entry that counts is not looked at.
    if (!isLast) deepStrictEqual(trust.client(remote, `${spoofed},${text}`), address);
    if (trust.client(undefined, text) !== undefined) throw new Error("A header alone makes no address");
  },
  {
    parse: (text) => TRUSTS.at(-1)!.client("10.0.0.1", text),
    repeated: ["1.1.1.1,", "%", "[", ":", "1.", "0:", " ", ",", "1.1.1.1:1", "[::1]:1,"],
  },
);

/** The client by the documentation: from the connection backwards, as long as whoever speaks is trusted. */
function clientOf({ isTrusted }: Trust, remote: string, text: string): { address: string; isLast: boolean } {
  const entries = text.split(",").map(withoutPort).reverse();
  const end = entries.findIndex((each) => !isAddress(each));
  const chain = [remote, ...(end === -1 ? entries : entries.slice(0, end))];
  const found = chain.findIndex((each, hop) => !isTrusted(each, hop));
  const isLast = end === -1 && found === -1;
  return { address: chain.at(found)!, isLast };
}

function withoutPort(text: string): string {
  const trimmed = text.trim();
  const [, inBrackets] = /^\[([^\]]*)\](?::[0-9]+)?$/.exec(trimmed) ?? [];
  const [, before] = /^([0-9]+(?:\.[0-9]+){3}):[0-9]+$/.exec(trimmed) ?? [];
  return inBrackets ?? before ?? trimmed;
}
