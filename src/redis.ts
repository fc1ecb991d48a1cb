export { type RedisClient, RedisStore, type RedisStoreOptions } from "./stores/redis/redis-store.js";
