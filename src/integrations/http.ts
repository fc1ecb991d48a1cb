export { Gate, type Origin, type Quotas, type ThrottleOptions, type Verdict } from "./gate.js";
export { clientAddressBehind, type IpKeyOptions, ipKey, type TrustProxy } from "./ip-key.js";
export { type Header, type HeaderVersion, rateLimitHeaders, type Told } from "./rate-limit-headers.js";
