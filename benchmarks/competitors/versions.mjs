// @ts-check
import { readFileSync } from "node:fs";

/** The exact version of each competitor, by its name. @type {Readonly<Record<string, string>>} */
export const VERSIONS = JSON.parse(
  readFileSync(new URL("package.json", import.meta.url), "utf8"),
).dependencies;
