import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import vm from "node:vm";
import { expect, test } from "vitest";
import type * as Core from "../../src/index.js";
import { ROOT } from "./node.js";

/** What browsers, workers, Bun and Deno have in common, and nothing of Node. */
const COMMON = { AbortController, performance, setTimeout, clearTimeout };

/** The built core in a world of its own, into which nothing but lru-cache can be imported. */
function coreIn(world: vm.Context): typeof Core {
  const loaded = new Map<string, object>();
  const fromNode = createRequire(join(ROOT, "package.json"));
  const load = (name: string): object => {
    if (name === "lru-cache") return fromNode(name) as object;
    const file = join(ROOT, "dist", name);
    const known = loaded.get(file);
    if (known !== undefined) return known;
    const module = { exports: {} };
    loaded.set(file, module.exports);
    const body = `(function (module, exports, require) { ${readFileSync(file, "utf8")}\n})`;
    vm.runInContext(body, world, { filename: file })(module, module.exports, load);
    loaded.set(file, module.exports);
    return module.exports;
  };
  return load("./index.cjs") as typeof Core;
}

test("the core runs where there is nothing of Node", async () => {
  const { LimitedError, Throttled, throttled } = coreIn(vm.createContext({ ...COMMON }));
  const limiter = new Throttled({ key: "k", quota: "1/10ms" });
  expect(limiter.limitSync().limited).toBe(false);
  expect((await limiter.limit("k", { timeout: "1s" })).limited).toBe(false);
  expect(() => limiter.acquireSync()).toThrow(LimitedError);
  const get = throttled({ key: "get", quota: "1/h" })(async () => "got");
  expect(await get()).toBe("got");
  await expect(get()).rejects.toBeInstanceOf(LimitedError);
});
