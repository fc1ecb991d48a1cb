export type { AbortSignalLike } from "./abort.js";
export type { Algorithm, AlgorithmType, Numbers } from "./algorithms/algorithm.js";
export { FixedWindow } from "./algorithms/fixed-window.js";
export { Gcra } from "./algorithms/gcra.js";
export { LeakyBucket } from "./algorithms/leaky-bucket.js";
export {
  type AlgorithmName,
  type Booking,
  type Decision,
  type KeyState,
  Limiter,
  type Outcome,
} from "./algorithms/limiter.js";
export { SlidingWindow } from "./algorithms/sliding-window.js";
export { TokenBucket } from "./algorithms/token-bucket.js";
export type { Clock } from "./clock.js";
export type { Decorator } from "./decorate.js";
export { type DecoratorOptions, throttled, throttledSync } from "./decorator.js";
export type { Duration } from "./duration.js";
export {
  isLimitedError,
  isStoreError,
  LimitedError,
  StoreError,
  type StoreFailure,
  ThrottledError,
} from "./errors.js";
export type { LimitEvent, Listener, Observed, StoreErrorEvent, WaitEvent } from "./observation.js";
export type { Permit } from "./permit.js";
export {
  type BurstOption,
  parseQuota,
  perDay,
  perDuration,
  perHour,
  perMinute,
  perSecond,
  perWeek,
  type Quota,
  type QuotaInput,
} from "./quota.js";
export type { RateLimitResult, RateLimitState } from "./result.js";
export type { Lease } from "./semaphore/lease.js";
export {
  type AcquireOptions,
  Semaphore,
  type SemaphoreLimitOptions,
  type SemaphoreOccupancy,
  type SemaphoreOptions,
} from "./semaphore/semaphore.js";
export {
  type SemaphoreRequest,
  type SemaphoreRules,
  SemaphoreState,
  type Standing,
} from "./semaphore/state.js";
export { MemoryStore, type MemoryStoreOptions } from "./stores/memory-store.js";
export type { StoreStatus } from "./stores/status.js";
export type { Answer, Arrangement, Store, SyncStore } from "./stores/store.js";
export {
  type CallOptions,
  type LimitRequest,
  type RunOptions,
  Throttled,
  type ThrottledOptions,
  type WrapOptions,
} from "./throttled.js";
