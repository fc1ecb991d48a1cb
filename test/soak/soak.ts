// `npm run soak -- --minutes 60`: everything at once for a long time, and nothing may grow, wait or be wrong.
import { runSoak } from "./command.js";

process.exitCode = await runSoak(process.argv.slice(2), console.log);
