import type { Parser } from "./parser.js";
import { address } from "./parsers/address.js";
import { durationText } from "./parsers/duration.js";
import { forwardedFor } from "./parsers/forwarded-for.js";
import { headersRead } from "./parsers/headers-read.js";
import { headersWritten } from "./parsers/headers-written.js";
import { quotaText } from "./parsers/quota.js";
import { serverUrl } from "./parsers/server-url.js";
import { trustedNetwork } from "./parsers/trusted-network.js";

/** All that reads what somebody else wrote, or writes what others read. */
export const PARSERS: readonly Parser[] = [
  quotaText,
  durationText,
  serverUrl,
  address,
  forwardedFor,
  trustedNetwork,
  headersWritten,
  headersRead,
];
