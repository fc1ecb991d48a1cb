import { type ExactQuota, max, min } from "./rule.js";

// Where the arithmetic of the library ends: beyond it debt is capped, and no place is booked. These bounds are all that the
// model takes from there, as they follow from how numbers are kept and not from what the algorithms mean.

/** The most units that a window is charged with at once. */
export const MOST = 2n ** 53n - 1n;

const LAST_MOMENT_MS = 2n ** 52n;

/** The most that a bucket can lack until it is fresh, in `1 / periodMs` of a unit. */
export function mostOwed({ limit, periodMs, burst }: ExactQuota): bigint {
  return max(burst * periodMs, min(MOST - limit, LAST_MOMENT_MS * limit));
}

/** How far ahead of now places of a bucket can be booked. */
export function bucketHorizonMs(quota: ExactQuota): bigint {
  return (mostOwed(quota) - quota.burst * quota.periodMs) / quota.limit;
}

/** How many fixed windows can be full, that of now included. */
export function mostFixedWindows({ limit, periodMs }: ExactQuota): bigint {
  return max(1n, min(MOST / limit, LAST_MOMENT_MS / periodMs) - 2n);
}

/** How many windows ahead of now the last sliding window can be. */
export function mostSlidingWindows({ periodMs }: ExactQuota): bigint {
  return max(0n, LAST_MOMENT_MS / periodMs - 2n);
}
