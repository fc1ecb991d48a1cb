import type { Quota } from "../quota.js";
import { Bucket } from "./bucket.js";

/**
 * A bucket of `burst` tokens, refilled continuously with `limit` tokens each period; a call passes if it finds its cost in
 * tokens. The level counts the tokens that are missing. Turner, "New directions in communications" (1986).
 */
export class TokenBucket extends Bucket {
  static readonly algorithmName: string = "token-bucket";

  constructor(quota: Quota) {
    super(quota, false);
  }
}
