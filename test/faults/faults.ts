import { ACCESS_FAULTS } from "./access-faults.js";
import { CLIENT_FAULTS } from "./client-faults.js";
import { NETWORK_FAULTS } from "./network-faults.js";
import type { Fault } from "./outage-suite.js";
import { PROCESS_FAULTS } from "./process-faults.js";
import { STATE_FAULTS } from "./state-faults.js";

/** Faults of a server that the store connects to by itself. */
export const SERVER_FAULTS: readonly Fault[] = [
  ...PROCESS_FAULTS,
  ...STATE_FAULTS,
  ...ACCESS_FAULTS,
  ...NETWORK_FAULTS,
];

export const ALL_FAULTS: readonly Fault[] = [...SERVER_FAULTS, ...CLIENT_FAULTS];
