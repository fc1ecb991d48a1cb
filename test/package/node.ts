import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the package, in which `throttled` means the package itself, as it was built. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What a program printed, and how it ended. */
export interface Outcome {
  readonly output: string;
  readonly code: number | string;
  /** The signal that ended it, e.g. because it did not end by itself in time. */
  readonly signal: NodeJS.Signals | null;
}

/** Runs Node with these arguments in a process of its own; after 20 s it is killed. */
export function node(args: readonly string[], cwd = ROOT): Promise<Outcome> {
  return new Promise((resolve) => {
    const { NODE_OPTIONS: _, ...env } = process.env;
    execFile(process.execPath, args, { cwd, env, timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ output: stdout + stderr, code: error?.code ?? 0, signal: error?.signal ?? null });
    });
  });
}

/** Runs a module given as text. */
export function runModule(source: string, cwd = ROOT): Promise<Outcome> {
  return node(["--input-type=module", "--eval", source], cwd);
}

/** A temp folder for `use`, gone afterwards. */
export async function inTempFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "throttled-package-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
