import type { Quota } from "../quota.js";
import { Bucket } from "./bucket.js";

/**
 * A bucket that drains `limit` units each period and overflows above `burst`. Calls that may wait are paced: each goes in
 * the millisecond in which all before it has drained. As a meter: Turner (1986); paced: nginx `limit_req`.
 */
export class LeakyBucket extends Bucket {
  static readonly algorithmName: string = "leaky-bucket";

  constructor(quota: Quota) {
    super(quota, true);
  }
}
