// `npm run fuzz -- --inputs 1m`: texts of all kinds for each parser, until one is not treated as it should be.
import { runFuzz } from "./command.js";
import { PARSERS } from "./parsers.js";

process.exitCode = runFuzz(process.argv.slice(2), PARSERS, console.log);
