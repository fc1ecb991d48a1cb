// @ts-check
// `npm run mutate`: changes the source in one place at a time, and tells which changes no test notices.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const HELP = `Usage: npm run mutate [-- algorithms | src | lua [files]]

  algorithms  the arithmetic in src/algorithms, by default; fails below 95 %
  src         the rest of src, without what is for tests; fails below 85 %
  lua         every operator of the Lua twins

The files that follow, such as "src/semaphore/*.ts", are the only ones; of Lua, those whose names hold one of the words.
`;

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const HERE = fileURLToPath(new URL("./", import.meta.url));

const [what = "algorithms", ...rest] = process.argv.slice(2);
if (what === "lua") run(process.execPath, [`${HERE}lua.mjs`, ...rest], ROOT);
else if (what === "algorithms" || what === "src") {
  // Apart from the dependencies of the project, which everybody installs.
  if (!existsSync(`${HERE}node_modules`)) run("npm", ["ci"], HERE);
  const only = rest.length > 0 ? ["--mutate", rest.join(",")] : [];
  run(
    process.execPath,
    [`${HERE}node_modules/.bin/stryker`, "run", `test/mutation/${what}.json`, ...only],
    ROOT,
  );
} else {
  process.stderr.write(HELP);
  process.exitCode = 2;
}

/** Ends this process if the command fails. @param {string} command @param {readonly string[]} args @param {string} cwd */
function run(command, args, cwd) {
  const { status } = spawnSync(command, args, { cwd, stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) process.exit(status ?? 1);
}
