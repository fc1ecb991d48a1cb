import type { Quota } from "../quota.js";
import { Bucket } from "./bucket.js";

/**
 * The generic cell rate algorithm: a call passes if the theoretical arrival time is at most the burst tolerance ahead of
 * now. The level is how far ahead it is, in `1/limit` milliseconds, in which every arrival time is whole.
 * ITU-T I.371, virtual scheduling; it decides as the token bucket of the same quota does.
 */
export class Gcra extends Bucket {
  static readonly algorithmName: string = "gcra";

  constructor(quota: Quota) {
    super(quota, false);
  }
}
