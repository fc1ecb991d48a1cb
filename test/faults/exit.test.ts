import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { SERVER_FAULTS } from "./faults.js";
import type { Fault } from "./outage-suite.js";
import { Rig } from "./rig.js";

const CLOSED_MS = 250 + 1_000;
const END_OF_NODE_MS = 250;

const NO_FAULT: Fault = { name: "All is well", provoke: () => {}, undo: () => {}, says: /^$/ };
/** Those in which a client has something under way: a connection, an attempt at one, or a wait before the next. */
const FAULTS = [NO_FAULT, ...SERVER_FAULTS].filter(({ name }) =>
  /well|absent|dies|hangs|socket|loading|replica$|password is wrong|hung up|nowhere|longer|lost|nothing/.test(
    name,
  ),
);

const worker = (name: string): string => fileURLToPath(new URL(`./workers/${name}`, import.meta.url));

function start(url: string, warm: boolean, execArgv: string[]): ChildProcess {
  return fork(worker("closer.mjs"), [url, warm ? "warm" : "cold"], { execArgv, silent: true });
}

/** The next message of a process, which must not end before. */
function message(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`The process ended with ${code}`)));
  });
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}

describe.each([
  ["6", []],
  ["5", ["--import", worker("use-ioredis-5.mjs")]],
])("With ioredis %s a process that closed its store ends by itself, and in silence", (_version, execArgv) => {
  test.concurrent.each(FAULTS)("$name", async (fault) => {
    const rig = await Rig.start(...(fault.server ?? []));
    try {
      await fault.prepare?.(rig);
      if (fault.fromStart) await fault.provoke(rig);
      const url = (fault.url?.(rig) as string | undefined) ?? rig.url;
      const child = start(url, !fault.fromStart, execArgv);
      const output = Promise.all([child.stdout, child.stderr].map((stream) => textOf(stream!)));
      try {
        await message(child);
        if (!fault.fromStart) await fault.provoke(rig);
        child.send("close");
        const { closedMs } = (await message(child)) as { closedMs: number };
        const closed = performance.now();
        const [code] = await once(child, "exit");
        expect(closedMs).toBeLessThanOrEqual(CLOSED_MS);
        expect(performance.now() - closed).toBeLessThanOrEqual(CLOSED_MS - closedMs + END_OF_NODE_MS);
        expect({ code, output: await output }).toEqual({ code: 0, output: ["", ""] });
      } finally {
        child.kill("SIGKILL");
      }
    } finally {
      await rig.stop();
    }
  });
});
