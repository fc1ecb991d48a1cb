// @ts-check
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { judge, TARGETS } from "../targets.mjs";
import { chart } from "./chart.mjs";
import { metaLine } from "./machine.mjs";
import { QUESTIONS } from "./question.mjs";
import { groupTable, targetTable } from "./tables.mjs";

/** @typedef {import("./question.mjs").Group} Group */

/** @typedef {{ title: string, meta: import("./machine.mjs").Meta, groups: Group[] }} Answer */

/** By the names of the questions. @typedef {Record<string, Answer>} Answers */

const RESULTS = new URL("../results.json", import.meta.url);
const README = new URL("../README.md", import.meta.url);
const CHARTS = new URL("../charts/", import.meta.url);

/** What was measured before. @returns {Answers} */
export function readAnswers() {
  return existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, "utf8")).questions : {};
}

/** Writes results.json, the charts, and the parts of the README that are between markers. @param {Answers} answers */
export function writeAnswers(answers) {
  const inOrder = QUESTIONS.flatMap((name) => (answers[name] === undefined ? [] : [[name, answers[name]]]));
  const verdicts = verdictsOf(answers);
  const targets = verdicts.map(({ text, question, atMost, atLeast, unit, reached, met }) => ({
    ...{ text, question, unit },
    ...(atMost === undefined ? { atLeast } : { atMost }),
    ...{ reached, met },
  }));
  const results = { targets, questions: Object.fromEntries(inOrder) };
  writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);
  rmSync(CHARTS, { recursive: true, force: true });
  mkdirSync(CHARTS);
  let readme = replaced(readFileSync(README, "utf8"), "targets", targetTable(verdicts));
  for (const name of QUESTIONS) {
    const answer = answers[name];
    if (answer === undefined) continue;
    for (const group of answer.groups) writeFileSync(new URL(`${group.id}.svg`, CHARTS), chart(group));
    readme = replaced(readme, name, section(answer));
  }
  writeFileSync(README, readme);
}

/** @param {Answers} answers */
export function verdictsOf(answers) {
  const verdicts = Object.entries(answers).flatMap(([name, { groups }]) => judge(name, groups));
  const place = (/** @type {{ text: string }} */ { text }) =>
    TARGETS.findIndex((target) => target.text === text);
  return verdicts.sort((one, other) => place(one) - place(other));
}

/** @param {Answer} answer */
function section({ title, meta, groups }) {
  const parts = groups.map((group) => `![${group.title}](charts/${group.id}.svg)\n\n${groupTable(group)}`);
  return [`## ${title}`, ...parts, `<sub>${metaLine(meta)}</sub>`].join("\n\n");
}

/** @param {string} page @param {string} marker @param {string} content @throws Error where the page has no such markers */
function replaced(page, marker, content) {
  const [start, end] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`];
  const [before, rest] = page.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`README.md has no place for ${marker}`);
  return `${before}${start}\n\n${content}\n\n${end}${after}`;
}
