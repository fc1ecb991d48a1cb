import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const { "./package.json": itself, ...subpaths } = manifest.exports;
const entries = Object.keys(subpaths).map((subpath) => (subpath === "." ? "index" : subpath.slice(2)));
const dist = (file: string): string => readFileSync(join(ROOT, "dist", file), "utf8");

/** Packages that adapters are for, by the names of their entries. */
const FRAMEWORKS = {
  express: "express",
  fastify: "fastify",
  hono: "hono",
  koa: "koa",
  nestjs: "@nestjs/common",
  otel: "@opentelemetry/api",
};

/** What a built file imports, and what its chunks import, apart from other built files. */
function imports(file: string, seen = new Set<string>()): Set<string> {
  const external = new Set<string>();
  seen.add(file);
  for (const [, , name = ""] of dist(file).matchAll(
    /\b(from|import|require|import\()\s*\(?["']([^"'\n]+)["']/g,
  )) {
    if (!name.startsWith("./")) external.add(name);
    else if (!seen.has(name.slice(2))) {
      const built = existsSync(join(ROOT, "dist", name)) ? name.slice(2) : typesOf(name.slice(2));
      for (const each of imports(built, seen)) external.add(each);
    }
  }
  return external;
}

function typesOf(file: string): string {
  return file.replace(/\.(c?)js$/, ".d.$1ts");
}

describe("package.json", () => {
  test("has one dependency, and frameworks and clients only for those who want them", () => {
    expect(Object.keys(manifest.dependencies)).toEqual(["lru-cache"]);
    const peers = ["@nestjs/common", "@opentelemetry/api", "express", "fastify", "hono", "ioredis", "koa"];
    expect(Object.keys(manifest.peerDependencies)).toEqual(peers);
    expect(manifest.peerDependenciesMeta).toEqual(
      Object.fromEntries(peers.map((name) => [name, { optional: true }])),
    );
  });

  test("exports what was built, and everything that was built", () => {
    expect(itself).toBe("./package.json");
    for (const [i, conditions] of Object.values<object>(subpaths).entries()) {
      const esm = { types: `./dist/${entries[i]}.d.ts`, default: `./dist/${entries[i]}.js` };
      const cjs = { types: `./dist/${entries[i]}.d.cts`, default: `./dist/${entries[i]}.cjs` };
      expect(conditions).toStrictEqual({ "module-sync": esm, import: esm, require: cjs });
      expect(Object.keys(conditions)).toEqual(["module-sync", "import", "require"]);
    }
    const built = readdirSync(join(ROOT, "dist")).filter(
      (file) => !/\.map$|^chunk-|-[\w-]{8}\.d\.c?ts$/.test(file),
    );
    const expected = entries.flatMap((entry) => [".js", ".cjs", ".d.ts", ".d.cts"].map((end) => entry + end));
    expect(built.sort()).toEqual(expected.sort());
  });

  test("names the types of every subpath for resolvers that know no exports", () => {
    const { types, main, typesVersions } = manifest;
    expect([types, main]).toEqual(["./dist/index.d.cts", "./dist/index.cjs"]);
    const named = entries
      .filter((entry) => entry !== "index")
      .map((entry) => [entry, [`./dist/${entry}.d.cts`]]);
    expect(typesVersions).toEqual({ "*": Object.fromEntries(named) });
  });
});

describe("the built files", () => {
  test.each(["index.js", "index.cjs"])("of the core import no package, and nothing of Node: %s", (file) => {
    expect([...imports(file)]).toEqual([]);
  });

  test.each(["http", "mcp", "fetch", "express", "fastify", "hono", "koa"])(
    "of an adapter import no package, and nothing of Node: %s",
    (entry) => {
      for (const file of [`${entry}.js`, `${entry}.cjs`]) expect([...imports(file)]).toEqual([]);
    },
  );

  test.each(["nestjs.js", "nestjs.cjs"])("of Nest import what exceptions and modules are: %s", (file) => {
    expect([...imports(file)]).toEqual(["@nestjs/common"]);
  });

  test("import nothing that is neither declared nor part of Node", () => {
    const declared = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];
    for (const file of entries.flatMap((entry) => [
      `${entry}.js`,
      `${entry}.cjs`,
      `${entry}.d.ts`,
      `${entry}.d.cts`,
    ])) {
      for (const name of imports(file))
        expect([...declared, ...builtinModules]).toContain(name.replace(/^node:/, ""));
    }
  });

  test("say where a module comes from Node, as other runtimes want it", () => {
    for (const file of entries.flatMap((entry) => [`${entry}.js`, `${entry}.cjs`])) {
      for (const name of imports(file)) expect(builtinModules).not.toContain(name);
    }
  });

  test.each(entries.flatMap((entry) => [`${entry}.d.ts`, `${entry}.d.cts`]))(
    "carry types that need no other package but the framework they are for: %s",
    (file) => {
      const frameworks = Object.entries(FRAMEWORKS).filter(([entry]) => file.startsWith(`${entry}.`));
      expect([...imports(file)]).toEqual(frameworks.map(([, framework]) => framework));
      expect(dist(file)).toContain('/// <reference lib="esnext.disposable" />');
    },
  );

  test("hold no path of the machine that built them", () => {
    const files = readdirSync(join(ROOT, "dist"));
    expect(files.filter((file) => dist(file).includes(ROOT))).toEqual([]);
  });
});
