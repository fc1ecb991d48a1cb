// `npm run simulate -- --seeds 10k`: what a seed can make of clients and their server, until something is not as promised.
import { runSimulate } from "./command.js";

process.exitCode = await runSimulate(process.argv.slice(2), console.log);
