// @ts-check
import { fork } from "node:child_process";
import { once } from "node:events";

/**
 * Runs a module in a process of its own and asks it one question, which it answers with `answer`.
 * @param {URL} module
 * @param {unknown} question
 * @param {{ execArgv?: string[], onNote?: (note: string) => void }} [options]
 * @returns {Promise<any>} the answer
 * @throws Error if the process ends without one; what went wrong is on its standard error
 */
export async function ask(module, question, { execArgv = [], onNote = () => {} } = {}) {
  const child = fork(module, { execArgv });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  /** @type {{ answer: unknown } | undefined} */
  let reply;
  child.on("message", (/** @type {any} */ message) => {
    if ("note" in message) onNote(message.note);
    else reply = message;
  });
  child.send(/** @type {any} */ (question));
  const [code] = await once(child, "exit");
  process.removeListener("exit", kill);
  if (reply === undefined)
    throw new Error(`${module.pathname.split("/").at(-1)} ended with ${code}, unanswered`);
  return reply.answer;
}

/**
 * The other end of `ask`: answers, and ends the process, whatever timers are left in it.
 * @param {(question: any, note: (note: string) => void) => unknown} measure
 */
export function answer(measure) {
  process.once("message", async (question) => {
    const note = (/** @type {string} */ text) => process.send?.({ note: text });
    process.send?.({ answer: await measure(question, note) }, () => process.exit());
  });
}
