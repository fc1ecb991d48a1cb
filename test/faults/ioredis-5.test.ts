import { vi } from "vitest";
import { ALL_FAULTS } from "./faults.js";
import { lostReplySuite } from "./lost-reply-suite.js";
import { outageSuite } from "./outage-suite.js";
import { servedSuite } from "./served-suite.js";

vi.mock("ioredis", () => import("ioredis-5"));

outageSuite(ALL_FAULTS);
servedSuite();
lostReplySuite();
