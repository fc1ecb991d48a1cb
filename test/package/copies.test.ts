import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inTempFolder, ROOT, runModule } from "./node.js";

const printed = (output: string) => ({ output: `${output}\n`, code: 0, signal: null });

describe("one process", () => {
  test("gets the same classes from import and from require", async () => {
    const source = `
      import { createRequire } from "node:module";
      import * as imported from "throttled";
      import * as importedRedis from "throttled/redis";
      import * as importedTesting from "throttled/testing";
      const require = createRequire(process.cwd() + "/");
      const same = (one, other) => Object.keys(one).every((name) => one[name] === other[name]);
      console.log(
        same(imported, require("throttled")),
        same(importedRedis, require("throttled/redis")),
        same(importedTesting, require("throttled/testing")),
      );`;
    expect(await runModule(source)).toEqual(printed("true true true"));
  });
});

test.each(["index.js", "index.cjs"])(
  "the classes of %s have the names that they are exported by",
  async (file) => {
    const source = `
    import * as exported from "./dist/${file}";
    const classes = Object.entries(exported.default ?? exported).filter(([name]) => /^[A-Z]/.test(name));
    const renamed = classes.filter(([name, { name: own }]) => own !== name);
    console.log(classes.length > 9, renamed.map(([name]) => name).join());`;
    expect(await runModule(source)).toEqual(printed("true "));
  },
);

/** Runs a module that finds two copies of the package: `one` (ESM) and `other` (ESM or CJS, in a folder of its own). */
function withTwoCopies(file: string, source: string) {
  return inTempFolder(async (folder) => {
    const copy = join(folder, "node_modules", "throttled");
    mkdirSync(copy, { recursive: true });
    cpSync(join(ROOT, "dist"), join(copy, "dist"), { recursive: true });
    cpSync(join(ROOT, "package.json"), join(copy, "package.json"));
    symlinkSync(join(ROOT, "node_modules", "lru-cache"), join(folder, "node_modules", "lru-cache"), "dir");
    return runModule(`
      import * as one from "throttled";
      const { default: cjs, ...esm } = await import(${JSON.stringify(join(copy, "dist", file))});
      const other = cjs ?? esm;
      if (one.Throttled === other.Throttled) throw new Error("Expected two copies");
      ${source}`);
  });
}

describe.each(["index.js", "index.cjs"])("two copies of the package (%s)", (file) => {
  test("recognise each other's errors", async () => {
    const source = `
      const limited = (copy) => {
        const limiter = new copy.Throttled({ key: "k", quota: "1/h", store: new copy.MemoryStore() });
        limiter.acquireSync();
        try { limiter.acquireSync(); } catch (error) { return error; }
      };
      const stored = (copy) => new copy.StoreError("redis", "decide", "gone");
      for (const [here, there] of [[one, other], [other, one]]) {
        console.log(
          here.isLimitedError(limited(there)), here.isStoreError(stored(there)),
          here.isLimitedError(stored(there)), here.isStoreError(limited(there)),
          limited(there) instanceof here.LimitedError,
        );
      }`;
    expect(await withTwoCopies(file, source)).toEqual(
      printed("true true false false false\ntrue true false false false"),
    );
  });

  test("share a store that is handed from one to the other", async () => {
    const source = `
      const store = new one.MemoryStore();
      new one.Throttled({ key: "k", quota: "1/h", store }).limitSync();
      console.log(new other.Throttled({ key: "k", quota: "1/h", store }).limitSync().limited);`;
    expect(await withTwoCopies(file, source)).toEqual(printed("true"));
  });

  test("never let a decorator take the other copy's limiter for options, and so for another quota", async () => {
    const source = `
      const shared = new other.Throttled({ key: "k", quota: "1/h" });
      try {
        const call = one.throttled(shared)(async () => "passed");
        console.log((await Promise.allSettled([call(), call()])).map(({ status }) => status).join());
      } catch (error) {
        console.log(error instanceof TypeError ? "fulfilled,rejected" : error);
      }`;
    expect(await withTwoCopies(file, source)).toEqual(printed("fulfilled,rejected"));
  });
});
