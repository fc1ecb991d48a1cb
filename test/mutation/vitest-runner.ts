import { type CancelReason, inject, type RunnerTestFile, TestRunner } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Where Stryker's code keeps what it counts, in `globalThis`. */
    readonly globalNamespace: string;
  }
}

interface Stryker {
  /** Which changes were reached, outside of tests and by each of them. */
  readonly mutantCoverage?: { static: object; perTest: object };
}

/** Runs files one after the other in one process, which Vitest and Stryker can, but not well with many files. */
export default class extends TestRunner {
  #cancelled = false;

  override cancel(reason: CancelReason): void {
    this.#cancelled = true;
    super.cancel(reason);
  }

  // Stryker hands over with each file what is counted by then, and adds that up: without this, each of 150 files would come
  // with all that those before it had reached, which is more than fits in memory.
  override onCollectStart(file: RunnerTestFile): void {
    super.onCollectStart(file);
    const { mutantCoverage } =
      (globalThis as unknown as Record<string, Stryker>)[inject("globalNamespace")] ?? {};
    if (mutantCoverage !== undefined) Object.assign(mutantCoverage, { static: {}, perTest: {} });
  }

  // After a test has noticed a change, Vitest skips those that follow, but still loads their files, which takes seconds.
  override importFile(...file: Parameters<TestRunner["importFile"]>): unknown {
    return this.#cancelled ? undefined : super.importFile(...file);
  }
}
