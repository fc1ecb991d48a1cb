// @ts-check
import { short, written } from "./figures.mjs";
import { median } from "./statistics.mjs";

/** @typedef {import("./question.mjs").Group} Group */
/** @typedef {import("./question.mjs").Row} Row */

/**
 * @typedef {object} Bar
 * @property {string} label
 * @property {number} from where the light part begins: the best of several rows that share a bar
 * @property {number} to
 * @property {string} text
 * @property {"ours" | "base" | "other"} kind
 * @property {number} [target]
 */

const WIDTH = 880;
const LEFT = 16;
/** The widest that a letter of the fonts gets on average, so that no text reaches into the bars. */
const LETTER = 7;
const RIGHT = WIDTH - LEFT;
const ROW = 20;
const THICK = 12;
const HEAD = 56;
const SECTION = 34;

const STYLE = `
  .card { fill: #ffffff; stroke: #d1d9e0 } .axis { stroke: #818b98 }
  text { fill: #59636e; font: 12px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
  .title { fill: #1f2328; font-size: 15px; font-weight: 600 } .section { fill: #1f2328; font-weight: 600 }
  .us { fill: #0969da; font-weight: 600 } .ours { fill: #0969da } .other { fill: #818b98 } .base { fill: #d1d9e0 }
  .target { stroke: #bc4c00; stroke-width: 2.5 } .cut { stroke: #ffffff; stroke-width: 3 } .halo { stroke: #ffffff; stroke-width: 5.5 }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #30363d } .axis { stroke: #6e7681 } text { fill: #9198a1 }
    .title, .section { fill: #f0f6fc } .us { fill: #58a6ff } .ours { fill: #58a6ff } .other { fill: #6e7681 }
    .base { fill: #30363d } .target { stroke: #f0883e } .cut, .halo { stroke: #0d1117 }
  }`;

/** Horizontal bars, a section for each workload; ours stand out, and show what they should reach. @param {Group} group @returns {string} an SVG */
export function chart(group) {
  const sections = group.workloads.map(({ title, rows }) => ({ title, bars: barsOf(group, rows) }));
  const bars = sections.flatMap((section) => section.bars);
  const plane = planeOf(bars);
  let y = HEAD;
  const parts = sections.map((section) => {
    const top = y + SECTION - 8;
    y += SECTION + section.bars.length * ROW;
    return [
      text("section", LEFT, top - 8, section.title),
      ...section.bars.map((bar, i) => drawn(bar, top + i * ROW, plane)),
      `<line class="axis" x1="${plane.start}" x2="${plane.start}" y1="${top - 2}" y2="${y - 8}"/>`,
    ].join("\n");
  });
  const targets = bars.some(({ target }) => target !== undefined);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 8}" width="${WIDTH}" height="${y + 8}" role="img">
<title>${escaped(group.title)}</title>
<style>${STYLE}
</style>
<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${y + 7}" rx="8"/>
${text("title", LEFT, 28, group.title)}
${legend(group, targets)}
${parts.join("\n")}
</svg>
`;
}

/** @param {Group} group @param {readonly Row[]} rows @returns {Bar[]} */
function barsOf(group, rows) {
  // With many sections the five of ours share a bar, from the best of them to the worst.
  const shared =
    group.workloads.length > 2 ? rows.filter(({ name, algorithm }) => name === `throttled ${algorithm}`) : [];
  if (shared.length < 2) return rows.map((row) => barOf(group, row));
  return rows.flatMap((row) => {
    if (row === shared[0]) return [sharedBar(group, shared)];
    return shared.includes(row) ? [] : [barOf(group, row)];
  });
}

/** @param {Group} group @param {Row} row @returns {Bar} */
function barOf({ figure, better }, { name, version, ours, base, target, [figure]: to = Number.NaN }) {
  /** @type {Bar["kind"]} */
  const kind = ours ? "ours" : base ? "base" : "other";
  const label = version === undefined ? name : `${name} ${version}`;
  const bar = { label, from: to, to, text: written(figure, to), kind };
  if (target === undefined) return bar;
  return { ...bar, text: `${bar.text} (${better === "less" ? "≤" : "≥"} ${target})`, target };
}

/** @param {Group} group @param {readonly Row[]} rows @returns {Bar} */
function sharedBar(group, rows) {
  const bars = rows.map((row) => barOf(group, row)).sort((one, other) => one.to - other.to);
  const [least, most] = [/** @type {Bar} */ (bars[0]), /** @type {Bar} */ (bars.at(-1))];
  const label = `throttled, ${group.better === "less" ? "fastest to slowest" : "slowest to fastest"} of five`;
  return { ...most, label, from: least.to, text: `${short(least.to)} – ${most.text}` };
}

/**
 * Where bars may be drawn, between the names and the figures. What is far beyond the others is cut off.
 * @typedef {{ start: number, end: number, most: number, x: (number: number) => number }} Plane
 */

/** @param {readonly Bar[]} bars @returns {Plane} */
function planeOf(bars) {
  const widest = (/** @type {string[]} */ texts) => LETTER * Math.max(...texts.map(({ length }) => length));
  const start = LEFT + widest(bars.map(({ label }) => label)) + 8;
  const end = RIGHT - widest(bars.map((bar) => bar.text)) - 16;
  const others = bars.filter(({ kind }) => kind === "other").map(({ to }) => to);
  const whole = bars
    .filter(({ kind }) => kind !== "other")
    .flatMap(({ to, target = 0 }) => [to, target * 1.1]);
  const most = Math.max(...whole, Math.min(Math.max(...others, 0), 3 * (median(others) || 0)));
  return { start, end, most, x: (number) => fixed(start + Math.min(1, number / most) * (end - start)) };
}

/** @param {Bar} bar @param {number} top @param {Plane} plane */
function drawn({ label, from, to, text: value, kind, target }, top, { start, end, most, x }) {
  const ours = kind === "ours" ? "us" : "";
  const rect = (/** @type {number} */ left, /** @type {number} */ right, /** @type {string} */ more) =>
    `<rect class="${kind}"${more} x="${left}" y="${top}" width="${fixed(right - left)}" height="${THICK}"/>`;
  const parts = [
    text(ours, LEFT, top + 11, label),
    text(ours, RIGHT, top + 11, value, "end"),
    rect(start, x(from), ""),
  ];
  if (to > from) parts.push(rect(x(from), x(to), ' fill-opacity="0.45"'));
  if (to > most) {
    parts.push(
      `<line class="cut" x1="${end - 22}" x2="${end - 16}" y1="${top + THICK + 1}" y2="${top - 1}"/>`,
    );
  }
  if (target !== undefined) {
    const line = `x1="${x(target)}" x2="${x(target)}" y1="${top - 3}" y2="${top + THICK + 3}"`;
    parts.push(`<line class="halo" ${line}/><line class="target" ${line}/>`);
  }
  return parts.join("");
}

/** @param {Group} group @param {boolean} targets */
function legend({ better }, targets) {
  const parts = [text("", RIGHT, 48, `${better === "less" ? "less" : "more"} is better`, "end")];
  if (targets) {
    parts.push(`<line class="target" x1="${LEFT + 4}" x2="${LEFT + 4}" y1="37" y2="51"/>`);
    parts.push(text("", LEFT + 14, 48, `target of throttled, ${better === "less" ? "at most" : "at least"}`));
  }
  return parts.join("");
}

/** @param {string} className @param {number} x @param {number} y @param {string} content @param {string} [anchor] */
function text(className, x, y, content, anchor = "start") {
  return `<text class="${className}" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

/** @param {string} content */
function escaped(content) {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** @param {number} number */
function fixed(number) {
  return Math.round(number * 10) / 10;
}
