// @ts-check
/** @import { TestRunner } from "@stryker-mutator/api/test-runner" */
import { commonTokens, declareFactoryPlugin, PluginKind, tokens } from "@stryker-mutator/api/plugin";
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
  runner.mutantRun = (options) => {
    // For `LikeliestFirst`, which runs in this process.
    process.env["MUTATED_FILE"] = options.activeMutant.fileName;
    // Each run has a worker of its own, so that a change can be there before anything is loaded, as a file of tests may use it
    // before they begin.
    return mutantRun.call(runner, { ...options, mutantActivation: "static" });
  };
  runner.dryRun = async (options) => {
    const result = await dryRun.call(runner, options);
    if (result.status !== "complete" || result.mutantCoverage === undefined) return result;
    const { perTest, static: outside } = result.mutantCoverage;
    for (const reached of Object.values(perTest)) for (const id of Object.keys(reached)) delete outside[id];
    return result;
  };
  return runner;
}
byTheirTests.inject = tokens(commonTokens.injector);

export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, "by-their-tests", byTheirTests)];
