import { complaint, knownOptions } from "../argument.js";

/** The eight groups of an IPv6 address; those of an IPv4 address are in the last two, behind `ffff`. */
type Groups = readonly number[];

/** Options of `ipKey`. */
export interface IpKeyOptions {
  /** How many bits of an IPv6 address tell clients apart, 1 to 128; 56 by default, as a client may have that whole network. */
  readonly ipv6Prefix?: number;
}

/**
 * The key of a client's address: `"192.0.2.1"`, or the network of an IPv6 address such as `"2001:db8:0:ab00::/56"`. All ways
 * to write an address come to the same key.
 * @throws TypeError for what is no address, RangeError for a prefix out of range.
 */
export function ipKey(address: string, options: IpKeyOptions = {}): string {
  knownOptions("options", options, ["ipv6Prefix"]);
  const { ipv6Prefix = 56 } = options;
  if (!Number.isInteger(ipv6Prefix) || ipv6Prefix < 1 || ipv6Prefix > 128) {
    throw new RangeError(complaint("ipv6Prefix", "an integer from 1 to 128", ipv6Prefix));
  }
  const v4 = plainIpv4(address);
  if (v4 !== undefined) return v4;
  const groups = parseAddress(address);
  if (groups === undefined) throw new TypeError(complaint("address", "an IP address", address));
  if (isIpv4(groups)) return dotted(groups);
  return `${compressed(masked(groups, ipv6Prefix))}/${ipv6Prefix}`;
}

/**
 * Whom to trust when they say for whom they forward: so many proxies in front of this server, or those of some networks such
 * as `"10.0.0.0/8"`. 0, which is the default, trusts nobody.
 */
export type TrustProxy = number | readonly string[];

/** Tells the address of the client that is behind trusted proxies. @throws TypeError, RangeError for a `trust` that is neither. */
export function clientAddressBehind(
  trust: TrustProxy,
): (remoteAddress: string | undefined, forwardedFor: string | undefined) => string | undefined {
  const isTrusted = trusting(trust);
  return (remoteAddress, forwardedFor) => {
    let address = remoteAddress;
    if (forwardedFor === undefined || address === undefined || !isTrusted(address, 0)) return address;
    // The nearest proxy wrote the last entry; what is in front of an entry that is no address may be anybody's.
    for (let hop = 1, end = forwardedFor.length; end >= 0; hop++) {
      const start = forwardedFor.lastIndexOf(",", end - 1) + 1;
      const next = addressIn(forwardedFor.slice(start, end).trim());
      if (next === undefined) break;
      address = next;
      if (!isTrusted(address, hop)) break;
      end = start - 1;
    }
    return address;
  };
}

function trusting(trust: unknown): (address: string, hop: number) => boolean {
  if (typeof trust === "number") {
    if (Number.isInteger(trust) && trust >= 0) return (_, hop) => hop < trust;
    throw new RangeError(complaint("trustProxy", "a number of proxies or a list of networks", trust));
  }
  if (!Array.isArray(trust)) {
    throw new TypeError(complaint("trustProxy", "a number of proxies or a list of networks", trust));
  }
  const networks = trust.map(parseNetwork);
  return (address) => {
    const groups = parseAddress(address);
    return groups !== undefined && networks.some(({ base, bits }) => equal(masked(groups, bits), base));
  };
}

function parseNetwork(text: unknown): { readonly base: Groups; readonly bits: number } {
  const [, address = "", length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(String(text)) ?? [];
  const groups = typeof text === "string" ? parseAddress(address) : undefined;
  const most = groups && isIpv4(groups) ? 32 : 128;
  const bits = length === undefined ? most : Number(length);
  if (groups === undefined || bits > most) {
    throw new TypeError(complaint("trustProxy", 'networks such as "10.0.0.0/8"', text));
  }
  const all = bits + 128 - most;
  return { base: masked(groups, all), bits: all };
}

/** The address that an entry is; some proxies add the port of their client. */
function addressIn(entry: string): string | undefined {
  if (plainIpv4(entry) !== undefined) return entry;
  const address =
    /^\[([^\]]*)\](?::\d+)?$/.exec(entry)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(entry)?.[1] ?? entry;
  return parseAddress(address) && address;
}

const MOST_CHARACTERS = 64;

/** Nearly all addresses are of IPv4, as such or as the sockets of Node write them: these need not be taken apart. */
function plainIpv4(address: unknown): string | undefined {
  if (typeof address !== "string") return undefined;
  const text = address.startsWith("::ffff:") ? address.slice(7) : address;
  return IPV4.test(text) ? text : undefined;
}

/** Four bytes; a leading zero is octal to some, and decimal to others. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

function parseAddress(text: unknown): Groups | undefined {
  if (typeof text !== "string" || text.length > MOST_CHARACTERS) return undefined;
  // A zone names an interface of this machine; only IPv6 has them.
  const address = text.replace(/%[\w.:-]+$/, "");
  if (!address.includes(":")) {
    const v4 = parseIpv4(text);
    return v4 && [0, 0, 0, 0, 0, 0xffff, ...v4];
  }
  // The last two groups may be written as IPv4.
  const end = address.lastIndexOf(":") + 1;
  const v4 = parseIpv4(address.slice(end));
  const halves = (v4 ? address.slice(0, end) + hex(v4) : address).split("::").map(parseHalf);
  const [head, tail] = halves;
  if (halves.length > 2 || head === undefined || halves.includes(undefined)) return undefined;
  if (halves.length === 1) return head.length === 8 ? head : undefined;
  const missing = 8 - head.length - tail!.length;
  return missing < 1 ? undefined : [...head, ...new Array<number>(missing).fill(0), ...tail!];
}

/** Groups with colons between. */
function parseHalf(text: string): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  return parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))
    ? parts.map((part) => Number.parseInt(part, 16))
    : undefined;
}

function parseIpv4(text: string): [number, number] | undefined {
  if (!IPV4.test(text)) return undefined;
  const [a, b, c, d] = text.split(".").map(Number) as [number, number, number, number];
  return [a * 256 + b, c * 256 + d];
}

function isIpv4(groups: Groups): boolean {
  return groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
}

function dotted(groups: Groups): string {
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join(".");
}

function masked(groups: Groups, bits: number): Groups {
  return groups.map((group, i) => {
    const kept = Math.min(16, Math.max(0, bits - 16 * i));
    return group & (0xffff << (16 - kept)) & 0xffff;
  });
}

function equal(one: Groups, other: Groups): boolean {
  return one.every((group, i) => group === other[i]);
}

function hex(groups: Groups): string {
  return groups.map((group) => group.toString(16)).join(":");
}

/** As RFC 5952 writes it: the longest run of zeros, the first of equals, as `::`. */
function compressed(groups: Groups): string {
  const text = hex(groups);
  const runs = [...text.matchAll(/\b0(?::0)+\b/g)];
  const longest = runs.sort((one, other) => other[0].length - one[0].length)[0];
  if (longest === undefined) return text;
  const [before, after] = [text.slice(0, longest.index), text.slice(longest.index + longest[0].length)];
  return `${before.replace(/:$/, "")}::${after.replace(/^:/, "")}`;
}
