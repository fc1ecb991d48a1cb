export { clientAddressBehind, type IpKeyOptions, ipKey, type TrustProxy } from "./ip-key.js";
export {
  type Header,
  type HeaderName,
  type HeaderVersion,
  rateLimitHeaders,
  type Told,
} from "./rate-limit-headers.js";
