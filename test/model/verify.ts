// `npm run verify -- --ops 10m`: random programs on the stores and on the model, until they differ.
import { runVerify } from "./command.js";

process.exitCode = await runVerify(process.argv.slice(2));
