export { type LifetimeOptions, Storage, type StorageOptions } from "./storage/storage.js";
export type { Entries, Sum } from "./stores/entries.js";
