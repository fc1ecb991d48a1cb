import { Bucket } from "./bucket.js";

/**
 * A bucket that drains `limit` units each period and overflows above `burst`. Calls that may wait are paced: each goes in
 * the millisecond in which all before it has drained. As a meter: Turner (1986); paced: nginx `limit_req`.
 */
export class LeakyBucket extends Bucket {
  static readonly algorithmName: string = "leaky-bucket";

  // Less than a millisecond's drain counts as drained: to wait for it would slow the pace to whole milliseconds.
  protected override room(free: number, queued: boolean): number {
    return queued ? Math.min(free, this.drain - 1) : free;
  }
}
