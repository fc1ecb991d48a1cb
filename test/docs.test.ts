import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT, Sandbox, usesNest } from "./support/sandbox.js";

/** A fenced block of code; `output` is the `text` block that follows it, which says what the code prints. */
interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
  readonly output: string | undefined;
}

const FENCE = /^```(\w*)\n(.*?)^```$/gms;

const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

const texts = new Map(PAGES.map((page) => [page, readFileSync(join(ROOT, page), "utf8")]));
const blocks = [...texts].flatMap(([page, text]) => blocksOf(page, text));
const programs = blocks.filter(({ language }) => language === "js" || language === "ts");
const exampleOf = ({ code }: Block): string | undefined => /^\/\/ (docs\/examples\/\S+)\n/.exec(code)?.[1];

let sandbox: Sandbox;

beforeAll(() => {
  sandbox = new Sandbox();
  for (const name of readdirSync(join(ROOT, "docs/examples"))) {
    const source = readFileSync(join(ROOT, "docs/examples", name), "utf8");
    sandbox.write(name, source);
    sandbox.compile(name.replace(/\.ts$/, ".js"), source);
  }
});

afterAll(() => sandbox.remove());

describe("links lead to files and headings that exist", () => {
  test.each(PAGES)("%s", (page) => {
    const links = [...prose(texts.get(page)!).matchAll(/\]\(([^()\s]+)\)/g)].map((match) => match[1]!);
    const broken = links.filter((link) => !/^https?:/.test(link) && !leadsSomewhere(page, link));
    expect(broken).toEqual([]);
  });
});

describe("files that are named are there, and so are commands", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  test.each(PAGES.filter((page) => page !== "CHANGELOG.md"))("%s", (page) => {
    const text = texts.get(page)!;
    const files = [...text.matchAll(/`((?:benchmarks|docs|src|test)\/[\w./*-]+)`/g)].map(
      (match) => match[1]!,
    );
    const commands = [...text.matchAll(/`npm run ([\w:]+)[^`\n]*`/g)].map((match) => match[1]!);
    expect(files.filter((file) => !isThere(file))).toEqual([]);
    expect(commands.filter((command) => scripts[command] === undefined)).toEqual([]);
  });
});

describe("a block that shows an example is that file, to the letter", () => {
  const copies = programs.filter((block) => exampleOf(block) !== undefined);
  test.each(copies.map((block) => ({ ...block, example: exampleOf(block)! })))(
    "$page:$line $example",
    ({ code, example }) => {
      expect(code).toBe(`// ${example}\n${readFileSync(join(ROOT, example), "utf8")}`);
    },
  );
});

describe("a program runs, and prints what the text block after it says", () => {
  test.each(programs.filter(({ language, output }) => language === "js" || output !== undefined))(
    "$page:$line",
    async ({ page, line, language, code, output }) => {
      const name = `${nameOf(page, line)}.mjs`;
      const file = language === "js" ? sandbox.write(name, code) : sandbox.compile(name, code);
      expect(await sandbox.run([file])).toEqual({ stdout: output ?? "", stderr: "", code: 0 });
    },
  );
});

test.each([
  ["", false],
  [" of Nest", true],
])("every TypeScript program%s compiles for a strict consumer", (_, nest) => {
  const include = readdirSync(join(ROOT, "docs/examples")).filter(
    (name) => usesNest(readFileSync(join(ROOT, "docs/examples", name), "utf8")) === nest,
  );
  for (const { page, line, language, code } of programs) {
    const name = `${nameOf(page, line)}.ts`;
    if (language !== "ts" || usesNest(code) !== nest) continue;
    sandbox.write(name, code);
    include.push(name);
  }
  const compilerOptions = {
    target: "ES2022",
    lib: ["ES2022", "ESNext.Disposable", "DOM"],
    module: "NodeNext",
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    experimentalDecorators: nest,
    skipLibCheck: true,
    noEmit: true,
  };
  sandbox.write("tsconfig.json", JSON.stringify({ compilerOptions, include }));
  expect(typeErrors()).toBe("");
});

test("the pictures are those that the script draws from real runs", async () => {
  const { code } = await sandbox.run([join(ROOT, "docs/images/draw.mjs"), sandbox.folder]);
  expect(code).toBe(0);
  for (const name of readdirSync(join(ROOT, "docs/images")).filter((each) => each.endsWith(".svg"))) {
    expect(readFileSync(join(ROOT, "docs/images", name), "utf8")).toBe(
      readFileSync(join(sandbox.folder, name), "utf8"),
    );
  }
});

test("the set-up in the README is exactly two lines", () => {
  const setUp = blocks.filter(({ page, code }) => page === "README.md" && code.includes("npm ci"));
  expect(setUp.map(({ code }) => code)).toEqual(["npm ci && npm run demo\nnpm ci && npm test\n"]);
});

function blocksOf(page: string, text: string): Block[] {
  const found = [...text.matchAll(FENCE)];
  return found.map((match, i) => {
    const next = found[i + 1];
    const between = next && text.slice(match.index + match[0].length, next.index);
    return {
      page,
      line: text.slice(0, match.index).split("\n").length,
      language: match[1]!,
      code: match[2]!,
      output: next?.[1] === "text" && between?.trim() === "" ? next[2]! : undefined,
    };
  });
}

/** The text without code, in which brackets are no links. */
function prose(text: string): string {
  return text.replace(FENCE, "").replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ""));
}

/** Whether there is such a file or folder; a `*` stands for any part of a name. */
function isThere(path: string): boolean {
  if (!path.includes("*")) return existsSync(join(ROOT, path));
  const name = new RegExp(`^${basename(path).replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
  return readdirSync(join(ROOT, dirname(path))).some((entry) => name.test(entry));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : join(dirname(page), path);
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || anchorsOf(readFileSync(join(ROOT, target), "utf8")).includes(anchor);
}

/** The anchors that GitHub gives to headings. */
function anchorsOf(text: string): string[] {
  return [...text.replace(FENCE, "").matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function nameOf(page: string, line: number): string {
  return `${relative(".", page).replace(/\W/g, "-")}-${line}`;
}

function typeErrors(): string {
  try {
    execFileSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", sandbox.folder], {
      encoding: "utf8",
    });
    return "";
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
