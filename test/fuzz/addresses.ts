import { BlockList, isIP, isIPv6 } from "node:net";
import fc from "fast-check";
import { texts } from "./texts.js";

/** Addresses as they come, in all ways to write them, and what is nearly one. */
const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const long = fc
  .tuple(fc.array(group, { minLength: 8, maxLength: 8 }), fc.boolean())
  .map(([groups, padded]) =>
    groups.map((each) => (padded ? each.toString(16).padStart(4, "0") : each.toString(16))).join(":"),
  );
const mapped = fc
  .tuple(fc.constantFrom("::ffff:", "::FFFF:", "0:0:0:0:0:ffff:"), fc.ipV4())
  .map((all) => all.join(""));
const zoned = fc
  .tuple(fc.oneof(fc.ipV6(), mapped), fc.constantFrom("%eth0", "%1", "%a.b-c_d:e"))
  .map((all) => all.join(""));
export const validAddress = fc.oneof(fc.ipV4(), fc.ipV6(), long, mapped, zoned);
export const nearlyAddress = texts(
  validAddress,
  ...[":", "::", ".", "0", "00", "1", "9", "255", "256", "f", "ffff", "fffff", "1.2.3.4", "%", "%eth0", "/"],
);

/** As this project has it: no longer than 64 characters, a zone behind IPv6 only. */
export function isAddress(text: string): boolean {
  if (text.length > 64) return false;
  const address = withoutZone(text);
  return isIP(text) === 4 || (isIPv6(address) && !address.includes("%"));
}

function withoutZone(text: string): string {
  return text.replace(/%[\w.:-]+$/, "");
}

/** An address as a number, IPv4 as the last 32 bits behind `::ffff`, as the URLs of the platform read it. */
export function numberOf(address: string): bigint {
  if (isIP(address) === 4) return numberOf(`::ffff:${address}`);
  const name = new URL(`http://[${withoutZone(address)}]`).hostname.slice(1, -1);
  const [head = "", tail] = name.split("::").map((half) => half.split(":").filter((each) => each !== ""));
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => "0");
  const groups = [...head, ...zeros, ...(tail ?? [])];
  return BigInt(`0x${groups.map((each) => each.padStart(4, "0")).join("")}`);
}

/** Whether it is an address of IPv4, whichever way it is written. */
export function isVersion4(number: bigint): boolean {
  return number >> 32n === 0xffffn;
}

/** The shortest way to write a number as an address, by the URLs of the platform. */
export function addressOf(number: bigint): string {
  const low = Number(number & 0xffff_ffffn);
  if (isVersion4(number)) return [24, 16, 8, 0].map((shift) => (low >>> shift) & 255).join(".");
  const groups = number.toString(16).padStart(32, "0").match(/..../g)!;
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** The networks that Node finds addresses to be in. */
export class Networks {
  readonly #list = new BlockList();

  add(address: string, bits: number): this {
    const number = numberOf(address);
    this.#list.addSubnet(addressOf(number), bits, isVersion4(number) ? "ipv4" : "ipv6");
    return this;
  }

  has(address: string): boolean {
    const number = numberOf(address);
    return this.#list.check(addressOf(number), isVersion4(number) ? "ipv4" : "ipv6");
  }
}
