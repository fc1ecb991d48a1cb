// @ts-check
// `node --import ./test/support/run-typescript.mjs some.ts` runs TypeScript as Node alone can't in version 20, with the Lua
// twins as texts, from the sources and without a build.
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";
import ts from "typescript";

// This file is also what runs in the thread of the hooks.
if (isMainThread) register(import.meta.url);

const compilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
  inlineSourceMap: true,
};

/** @type {import("node:module").ResolveHook} */
export function resolve(specifier, context, next) {
  const isSource = specifier.startsWith(".") && context.parentURL?.endsWith(".ts");
  return next(isSource ? specifier.replace(/\.js$/, ".ts") : specifier, context);
}

/** @type {import("node:module").LoadHook} */
export async function load(url, context, next) {
  const extension = /\.(ts|lua)$/.exec(url)?.[1];
  if (extension === undefined) return next(url, context);
  const text = await readFile(fileURLToPath(url), "utf8");
  const source =
    extension === "lua"
      ? `export default ${JSON.stringify(text)}`
      : ts.transpileModule(text, { compilerOptions, fileName: fileURLToPath(url) }).outputText;
  return { format: "module", source, shortCircuit: true };
}
