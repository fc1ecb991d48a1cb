import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** The root of this repository. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What a program printed and how it ended. */
export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** What examples use besides. */
const INSTALLED = [
  "@hono/node-server",
  "@modelcontextprotocol/client",
  "@modelcontextprotocol/server",
  "@nestjs/common",
  "@nestjs/core",
  "@nestjs/platform-express",
  "@opentelemetry/api",
  "@opentelemetry/sdk-metrics",
  "@types/express",
  "@types/koa",
  "@types/node",
  "express",
  "fastify",
  "hono",
  "ioredis",
  "koa",
  "zod",
];

/** Whether a program has the decorators that came before those of JavaScript. */
export function usesNest(source: string): boolean {
  return source.includes('from "@nestjs/');
}

/** A project of somebody who installed this package as it was built: a temp folder, gone with `remove`. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), "throttled-sandbox-"));

  constructor() {
    for (const scope of ["@types", "@hono", "@modelcontextprotocol", "@nestjs", "@opentelemetry"]) {
      mkdirSync(join(this.folder, "node_modules", scope), { recursive: true });
    }
    symlinkSync(ROOT, join(this.folder, "node_modules/throttled"));
    for (const name of INSTALLED) {
      symlinkSync(join(ROOT, "node_modules", name), join(this.folder, "node_modules", name));
    }
    this.write("package.json", '{ "type": "module" }');
  }

  write(name: string, content: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** Writes the JavaScript of a TypeScript program, decorators and `using` lowered as Node 20 needs it. */
  compile(name: string, source: string): string {
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        experimentalDecorators: usesNest(source),
        emitDecoratorMetadata: usesNest(source),
      },
    });
    return this.write(name, outputText);
  }

  /** Starts a Node program, whose temp files stay in here. */
  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    return spawn(process.execPath, args, {
      cwd: this.folder,
      env: { PATH: process.env["PATH"], TMPDIR: this.folder, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Runs a Node program to its end. */
  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const child = this.start(args, env);
    let [stdout, stderr] = ["", ""];
    child.stdout!.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr!.on("data", (chunk) => {
      stderr += chunk;
    });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ stdout, stderr, code }));
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
