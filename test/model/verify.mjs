// @ts-check
// `npm run verify`: random programs on the stores and on the model, until they differ.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const { module } = await runnerImport(fileURLToPath(new URL("verify.ts", import.meta.url)), {
  configFile: false,
  logLevel: "error",
  plugins: [
    {
      name: "lua",
      enforce: "pre",
      load: (id) =>
        id.endsWith(".lua") ? `export default ${JSON.stringify(readFileSync(id, "utf8"))}` : undefined,
    },
  ],
});
process.exitCode = await module.runVerify(process.argv.slice(2));
