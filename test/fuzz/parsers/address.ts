import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { ipKey } from "../../../src/integrations/ip-key.js";
import { addressOf, isAddress, isVersion4, nearlyAddress, numberOf } from "../addresses.js";
import { checkComplaint, outcome, parser } from "../parser.js";

const LONGEST_COMPLAINT = 64 * 6 + 100;

export const address = parser(
  "address",
  fc.record({ text: nearlyAddress, ipv6Prefix: fc.integer({ min: 1, max: 128 }) }),
  ({ text, ipv6Prefix }) => {
    const result = outcome(() => ipKey(text, { ipv6Prefix }));
    if ("value" in result)
      return deepStrictEqual(result.value, isAddress(text) ? keyOf(text, ipv6Prefix) : "a refusal");
    if (isAddress(text)) throw new Error(`Refused: ${result.error}`);
    checkComplaint(result.error, ["`address`"], LONGEST_COMPLAINT);
  },
  { parse: (text) => ipKey(text), repeated: ["1", ":", "::", "1.", "0:", "%", "f", "1.1.1.1"] },
);

function keyOf(text: string, bits: number): string {
  const number = numberOf(text);
  if (isVersion4(number)) return addressOf(number);
  const rest = BigInt(128 - bits);
  return `${networkOf((number >> rest) << rest)}/${bits}`;
}

/** A network within `::ffff:0:0/96` is one of IPv6 where the address is. */
function networkOf(number: bigint): string {
  return isVersion4(number)
    ? new URL(`http://[::ffff:${addressOf(number)}]`).hostname.slice(1, -1)
    : addressOf(number);
}
