import { complaint } from "./argument.js";

const MOST_BYTES = 512;
const EXPECTED = `a string of 1 to ${MOST_BYTES} UTF-8 bytes`;

/**
 * Returns `key` if it can be kept by every store: 1 to 512 bytes of UTF-8, and no half of a surrogate pair.
 * @throws TypeError for anything but a well-formed string, RangeError for an empty or longer one.
 */
export function checkKey(key: unknown, name = "key"): string {
  if (typeof key !== "string") throw new TypeError(complaint(name, EXPECTED, key));
  if (key === "" || (key.length * 3 > MOST_BYTES && byteLength(key) > MOST_BYTES)) {
    throw new RangeError(complaint(name, EXPECTED, key));
  }
  // Lone surrogates all become the same character on the wire, and with it different keys would share a state.
  if (!key.isWellFormed()) throw new TypeError(complaint(name, "well-formed Unicode", key));
  return key;
}

function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > MOST_BYTES) break;
  }
  return bytes;
}
