import { complaint } from "../argument.js";
import { checkKey } from "../key.js";

/**
 * Makes keys of what names a caller: `prefix:name`, or the name alone without a prefix. What it returns throws as `checkKey` does.
 * @throws TypeError for a prefix that is not a string.
 */
export function keysUnder(prefix: string | undefined): (name: unknown) => string {
  if (prefix === undefined) return checkKey;
  if (typeof prefix !== "string") throw new TypeError(complaint("prefix", "a string", prefix));
  return (name) => `${prefix}:${checkKey(name)}`;
}
