import { relative } from "node:path";
import { BaseSequencer, type InlineConfig, type TestSpecification } from "vitest/node";
import project from "../../vitest.config.js";

/** What noticed the last mutant comes first, as the next one is beside it, and then the quickest. */
class LikeliestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { cache, config } = this.ctx;
    const durationOf = ({ moduleId, project: { name } }: TestSpecification) => {
      const result = cache.getFileTestResults(`${name}:${relative(config.root, moduleId)}`);
      return result?.failed ? -1 : (result?.duration ?? 0);
    };
    return [...files].sort((a, b) => durationOf(a) - durationOf(b));
  }
}

/** How tests run for a mutant. */
export const settings: InlineConfig = {
  ...project.test,
  // One worker for each mutant instead of one for each file: most of the time went into starting them.
  isolate: false,
  sequence: { sequencer: LikeliestFirst },
  // A mutant that hangs is one that was noticed, and none of these tests takes 3 s.
  testTimeout: 10_000,
  // What failed once may have failed by the load, or by what another test left to this worker.
  retry: 1,
};
