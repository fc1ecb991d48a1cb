import { ALL_FAULTS } from "./faults.js";
import { outageSuite } from "./outage-suite.js";

outageSuite(ALL_FAULTS);
