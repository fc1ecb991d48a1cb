import { servedSuite } from "./served-suite.js";

servedSuite();
