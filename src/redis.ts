export type { BreakerOptions } from "./stores/breaker.js";
export type { OnUnavailable } from "./stores/failure-policy.js";
export type { RedisClient } from "./stores/redis/connection.js";
export { RedisStore, type RedisStoreOptions } from "./stores/redis/redis-store.js";
