// @ts-check
import { quotaText } from "./scenes.mjs";
import { paint } from "./screen.mjs";

/**
 * How one algorithm did.
 * @typedef {object} Verdict
 * @property {import("./scenes.mjs").Scene} scene
 * @property {number[]} passed by each server
 * @property {number} limited
 * @property {number} atMost
 * @property {string[]} problems
 */

/** @param {Verdict[]} verdicts @returns {string[]} */
export function table(verdicts) {
  const servers = verdicts[0]?.passed.length ?? 1;
  const names = servers > 1 ? ["by A", "by B", "allowed"] : ["allowed"];
  const head = row(["algorithm", "quota", "sent", ...names, "limited", "at most"]);
  return [
    paint(head, "dim"),
    ...verdicts.flatMap((verdict) => [verdictRow(verdict), ...verdict.problems.map(problemLine)]),
  ];
}

/** @param {Verdict} verdict */
function verdictRow({ scene, passed, limited, atMost, problems }) {
  const allowed = passed.reduce((sum, count) => sum + count, 0);
  const shares = passed.length > 1 ? passed : [];
  const numbers = [allowed + limited, ...shares].map((number) => String(number).padStart(4));
  const sums = [allowed, limited, atMost].map((number) => String(number).padStart(7));
  const mark = problems.length === 0 ? paint("✓ ok", "green") : paint("✗ no", "red", "bold");
  return `${row([scene.title, quotaText(scene), ...numbers, ...sums])}  ${mark}`;
}

/** @param {string} problem */
function problemLine(problem) {
  return paint(`  ✗ ${problem}`, "red");
}

/** @param {string[]} cells */
function row([name = "", quota = "", ...numbers]) {
  return `${name.padEnd(15)}${quota.padEnd(16)}${numbers.join("  ")}`;
}
