// @ts-check
import { readdirSync, readFileSync } from "node:fs";
/** @import { TestRunner } from "@stryker-mutator/api/test-runner" */
/** @import { RunnerTestFile } from "vitest" */
import { commonTokens, declareFactoryPlugin, PluginKind, tokens } from "@stryker-mutator/api/plugin";
import { MutantRunStatus } from "@stryker-mutator/api/test-runner";
import { strykerPlugins as vitestPlugins } from "@stryker-mutator/vitest-runner";

const [vitest] = vitestPlugins;

/**
 * Vitest, where a change that tests reach is tried by those. Stryker would try it by all tests, in a new process, as soon as
 * anything reaches it outside of a test as well, such as a hook that starts a server: a third of all changes.
 *
 * @param {import("@stryker-mutator/api/plugin").Injector<any>} injector
 */
function byTheirTests(injector) {
  /** @type {TestRunner} */
  const runner = injector.injectFunction(/** @type {any} */ (vitest).factory);
  const { dryRun, init, mutantRun } = runner;
  // Vitest looks for each file that it is given among all there are, and is given a test's file once for each test.
  runner.init = async () => {
    await init?.call(runner);
    const { ctx } = /** @type {any} */ (runner);
    const start = ctx.start.bind(ctx);
    ctx.start = (/** @type {string[] | undefined} */ files) => start(files && [...new Set(files)]);
  };
  runner.mutantRun = async (options) => {
    // For `LikeliestFirst`, which runs in this process.
    process.env["MUTATED_FILE"] = options.activeMutant.fileName;
    // Each run has a worker of its own, so that a change can be there before anything is loaded, as a file of tests may use it
    // before they begin.
    const result = await mutantRun.call(runner, { ...options, mutantActivation: "static" });
    if (result.status !== "survived") return result;
    // Stryker looks at tests only, and a file that can't be loaded has none.
    /** @type {RunnerTestFile[]} */
    const files = /** @type {any} */ (runner).ctx.state.getFiles();
    const broken = files.find(({ result: loaded }) => loaded?.state === "fail");
    if (broken === undefined) return result;
    const failureMessage = `${broken.name} can't be loaded: ${broken.result?.errors?.[0]?.message}`;
    return {
      ...result,
      status: MutantRunStatus.Killed,
      killedBy: options.testFilter?.slice(0, 1) ?? [],
      failureMessage,
    };
  };
  runner.dryRun = async (options) => {
    const result = await dryRun.call(runner, options);
    if (result.status !== "complete" || result.mutantCoverage === undefined) return result;
    const { perTest, static: outside } = result.mutantCoverage;
    const reachedBy = Object.values(perTest);
    // What happens when a file is loaded, as where a table is filled, concerns all tests that use the file.
    for (const ids of changesByFile()) {
      const users = reachedBy.filter((reached) => ids.some((id) => reached[id]));
      for (const id of ids.filter((each) => outside[each])) for (const reached of users) reached[id] ??= 1;
    }
    for (const reached of reachedBy) for (const id of Object.keys(reached)) delete outside[id];
    return result;
  };
  return runner;
}
byTheirTests.inject = tokens(commonTokens.injector);

/** The changes of each file of the source, as Stryker numbers them. */
function* changesByFile() {
  for (const name of readdirSync("src", { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    const source = readFileSync(`src/${name}`, "utf8");
    yield [...source.matchAll(/stryMutAct_\w+\("(\d+)"\)/g)].map(([, id = ""]) => id);
  }
}

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, "by-their-tests", byTheirTests)];
