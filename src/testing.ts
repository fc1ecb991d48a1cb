export { ManualClock } from "./testing/manual-clock.js";
export { type ConformanceOptions, storeConformance } from "./testing/store-conformance.js";
