/** What a StoreError may say under any fault, once there were enough of them. */
const OPEN = "it is left alone after several failures in a row";
const LATE = "no answer within 250 ms";
const LOST = "the connection was lost|Connection is closed|Stream isn't writeable";

/** The connection stands, or seems to, and no answer comes. */
export const SILENT = new RegExp(`failed to decide: (${LATE}|${OPEN})`);

/** The connection is gone, and no other comes about. */
export const CUT = new RegExp(`failed to decide: (${LATE}|${LOST}|${OPEN})`);

/** The server says why not, in an answer or while it was connected to. */
export const refused = (code: string): RegExp =>
  new RegExp(`failed to decide: (${code}|${OPEN}|(${LATE}|${LOST}).*\\(${code}.*\\))`);

/** The server says why not, as soon as it is connected to; until that is noticed nothing but the connection is known to be gone. */
export const cutOff = (code: string): RegExp => new RegExp(`${refused(code).source}|${CUT.source}`);
