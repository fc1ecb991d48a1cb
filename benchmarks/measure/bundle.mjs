// @ts-check
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";

// The one that builds the package.
const { build } = createRequire(createRequire(import.meta.url).resolve("tsup"))("esbuild");

/**
 * Everything that the modules export, minified, with all that it needs but what is external.
 * @param {readonly string[]} modules
 * @param {URL} from the folder from which they are found
 * @param {string[]} [external]
 * @returns {Promise<{ kB: number, minifiedKB: number }>} of 1,000 bytes; the first is compressed by gzip
 */
export async function bundleSize(modules, from, external = []) {
  const { outputFiles } = await build({
    stdin: {
      contents: modules.map((module, i) => `export * as _${i} from ${JSON.stringify(module)}`).join("\n"),
      resolveDir: from.pathname,
    },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    external,
    logLevel: "error",
  });
  const { contents } = outputFiles[0];
  return { kB: gzipSync(contents, { level: 9 }).length / 1_000, minifiedKB: contents.length / 1_000 };
}
