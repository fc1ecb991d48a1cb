import { basename, relative } from "node:path";
import { BaseSequencer, type InlineConfig, type TestSpecification } from "vitest/node";
import project from "../../vitest.config.js";

/** What noticed the last mutant comes first, as the next one is beside it; then the tests of its file, and then the quickest. */
class LikeliestFirst extends BaseSequencer {
  static readonly #longestMs = new Map<string, number>();

  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { cache, config } = this.ctx;
    const own = `${basename(process.env["MUTATED_FILE"] ?? "", ".ts")}.test.ts`;
    const rank = new Map(
      files.map(({ moduleId, project: { name } }) => {
        const result = cache.getFileTestResults(`${name}:${relative(config.root, moduleId)}`);
        // What was skipped since another test had failed took no time, and says nothing.
        const longestMs = Math.max(result?.duration ?? 0, LikeliestFirst.#longestMs.get(moduleId) ?? 0);
        LikeliestFirst.#longestMs.set(moduleId, longestMs);
        return [moduleId, result?.failed ? -2 : basename(moduleId) === own ? -1 : longestMs];
      }),
    );
    return [...files].sort((a, b) => rank.get(a.moduleId)! - rank.get(b.moduleId)!);
  }
}

/** How tests run for a mutant. */
export const settings: InlineConfig = {
  ...project.test,
  // One worker for each mutant instead of one for each file: most of the time went into starting them.
  isolate: false,
  runner: "test/mutation/vitest-runner.ts",
  // Those of the files that are no longer loaded when a test has failed.
  passWithNoTests: true,
  sequence: { sequencer: LikeliestFirst },
  // A mutant that hangs is one that was noticed, and none of these tests takes 3 s.
  testTimeout: 10_000,
  // What failed once may have failed by the load, or by what another test left to this worker.
  retry: 1,
};
