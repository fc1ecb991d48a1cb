/// <reference types="vite/types/importMeta.d.ts" />
import {
  type CancelReason,
  inject,
  type RunnerTask,
  type RunnerTestFile,
  type RunnerTestSuite,
  TestRunner,
} from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Where Stryker's code keeps what it counts, in `globalThis`. */
    readonly globalNamespace: string;
    readonly mode: "dry-run" | "mutant";
  }
}

type Counts = Record<string, number>;

/** How often changes were reached, by each test and otherwise. */
interface Coverage {
  static: Counts;
  perTest: Record<string, Counts>;
}

const SOURCE = import.meta.glob("../../src/**/*.ts");

/** Runs files one after the other in one process, which Vitest and Stryker can, but not well with many files. */
export default class extends TestRunner {
  readonly #isDryRun = inject("mode") === "dry-run";
  #cancelled = false;
  /** What the source reaches when it is loaded. */
  #atLoad: Counts | undefined;

  override cancel(reason: CancelReason): void {
    this.#cancelled = true;
    super.cancel(reason);
  }

  // Stryker hands over with each file what is counted by then, and adds that up: without this, each of 150 files would come
  // with all that those before it had reached, which is more than fits in memory.
  override onCollectStart(file: RunnerTestFile): void {
    super.onCollectStart(file);
    if (this.#isDryRun) takeCounts();
  }

  override async importFile(...[path, source]: Parameters<TestRunner["importFile"]>): Promise<unknown> {
    // After a test has noticed a change, Vitest skips those that follow, but still loads their files, which takes seconds.
    if (this.#cancelled) return undefined;
    if (this.#isDryRun && this.#atLoad === undefined) {
      // Otherwise it would seem to be the doing of the file of tests that happens to be the first.
      await Promise.allSettled(Object.values(SOURCE).map((load) => load()));
      this.#atLoad = takeCounts();
    }
    return super.importFile(path, source);
  }

  // What a file reaches apart from its tests, to set up what they use, is reached by each of them.
  override async onAfterRunSuite(suite: RunnerTestSuite): Promise<void> {
    await super.onAfterRunSuite(suite);
    if (!this.#isDryRun || suite.file !== suite) return;
    const counted = coverage();
    for (const id of idsOf(suite, "")) {
      const name = `${suite.file.filepath}#${id.trim()}`;
      const own = counted.perTest[name] ?? {};
      counted.perTest[name] = own;
      for (const [mutant, times] of Object.entries(counted.static)) own[mutant] = (own[mutant] ?? 0) + times;
    }
    counted.static = { ...this.#atLoad };
  }
}

function coverage(): Coverage {
  const name = inject("globalNamespace");
  const everywhere = globalThis as unknown as Record<string, { mutantCoverage?: Coverage }>;
  const stryker = everywhere[name] ?? {};
  everywhere[name] = stryker;
  stryker.mutantCoverage ??= { static: {}, perTest: {} };
  return stryker.mutantCoverage;
}

/** What was reached apart from tests since it was asked before; forgets what tests reached. */
function takeCounts(): Counts {
  const counted = coverage();
  const { static: taken } = counted;
  Object.assign(counted, { static: {}, perTest: {} });
  return taken;
}

/** The tests of a file by their names after those of their suites, as Stryker calls them. */
function idsOf(task: RunnerTask, name: string): string[] {
  if (task.type === "test") return [name];
  return task.tasks.flatMap((each) => idsOf(each, `${name} ${each.name}`));
}
