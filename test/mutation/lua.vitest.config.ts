import { readFileSync } from "node:fs";
import type { Plugin } from "vitest/config";
import { defineConfig } from "vitest/config";
import project from "../../vitest.config.js";

const { MUTATED_FILE = "", MUTATED_SOURCE = "" } = process.env;

/** Puts a mutant in the place of the file that it was made of. */
const mutant: Plugin = {
  name: "mutant",
  enforce: "pre",
  load: (id) => (id === MUTATED_FILE ? readFileSync(MUTATED_SOURCE, "utf8") : undefined),
};

export default defineConfig({ ...project, plugins: [mutant, ...(project.plugins ?? [])] });
