// @ts-check
import { boundOf } from "../targets.mjs";
import { short, written } from "./figures.mjs";

/** @typedef {import("./question.mjs").Group} Group */
/** @typedef {import("./question.mjs").Row} Row */

/** A Markdown table of who reached what, a column for each workload. @param {Group} group */
export function groupTable(group) {
  const rows = group.workloads.flatMap((workload) => workload.rows);
  const names = [...new Set(rows.map(({ name }) => name))];
  const lines = names.map((name) => {
    const cells = group.workloads.map((workload) =>
      cell(
        group,
        workload.rows.find((row) => row.name === name),
      ),
    );
    const { version, ours } = /** @type {Row} */ (rows.find((row) => row.name === name));
    const label = version === undefined ? name : `${name} ${version}`;
    return [ours ? `**${label}**` : label, ...cells];
  });
  return table(["", ...group.workloads.map(({ title }) => title)], lines);
}

/** A Markdown table of all targets, the missed ones too. @param {readonly import("../targets.mjs").Verdict[]} verdicts */
export function targetTable(verdicts) {
  const lines = verdicts.map((verdict) => {
    const { text, unit, reached, met, atMost } = verdict;
    const bound = `${atMost === undefined ? "≥" : "≤"} ${boundOf(verdict)} ${unit}`;
    return [text, bound, `${short(reached)} ${unit}`, met ? "✓ met" : "✗ missed"];
  });
  return table(["", "target", "reached", ""], lines);
}

/** @param {Group} group @param {Row | undefined} row */
function cell({ figure, details = [] }, row) {
  if (row === undefined) return "";
  const numbers = [figure, ...details].flatMap((each) => {
    const number = row[each];
    return number === undefined ? [] : [written(each, number)];
  });
  const mark = row.met === undefined ? "" : row.met ? " ✓" : " ✗";
  return numbers.join(" · ").replace(/(?= · |$)/, mark);
}

/** @param {string[]} head @param {string[][]} lines */
function table(head, lines) {
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
