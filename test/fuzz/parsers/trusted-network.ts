import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { clientAddressBehind } from "../../../src/integrations/ip-key.js";
import { isAddress, isVersion4, Networks, numberOf, validAddress } from "../addresses.js";
import { checkComplaint, outcome, parser } from "../parser.js";
import { texts } from "../texts.js";

const CLIENT = "203.0.113.9";
const known = fc.oneof(fc.constantFrom("10.0.0.1", "2001:db8::7"), validAddress);
const network = fc
  .tuple(known, fc.option(fc.integer({ min: 0, max: 129 }), { nil: undefined }))
  .map(([address, bits]) => (bits === undefined ? address : `${address}/${bits}`));

export const trustedNetwork = parser(
  "trusted-network",
  fc.record({ text: texts(network, ..."0123456789./:f", "10.0.0.0/", "::/"), remote: known }),
  ({ text, remote }) => {
    const result = outcome(() => clientAddressBehind([text]));
    const trusted = networkOf(text);
    if ("error" in result) {
      if (trusted !== undefined) throw new Error(`Refused: ${result.error}`);
      return checkComplaint(result.error, ["`trustProxy`"], 64 * 6 + 100);
    }
    if (trusted === undefined) throw new Error("Accepted");
    deepStrictEqual(result.value(remote, CLIENT), trusted.has(remote) ? CLIENT : remote);
  },
  { parse: (text) => clientAddressBehind([text]), repeated: ["1", "/", "1/", ":", "1.", "%", "0:"] },
);

/** An address and a length; one of IPv4 that is written as IPv6 counts as IPv4. */
function networkOf(text: string): Networks | undefined {
  const slash = text.indexOf("/");
  const address = slash === -1 ? text : text.slice(0, slash);
  if (!isAddress(address)) return undefined;
  const most = isVersion4(numberOf(address)) ? 32 : 128;
  const digits = slash === -1 ? String(most) : text.slice(slash + 1);
  if (!/^[0-9]{1,3}$/.test(digits) || Number(digits) > most) return undefined;
  return new Networks().add(address, Number(digits));
}
