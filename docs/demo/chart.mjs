// @ts-check
import { PER_SECOND, quotaText } from "./scenes.mjs";
import { inColour, paint, width } from "./screen.mjs";

/** @typedef {import("./screen.mjs").Style} Style */

/** Columns of a chart; one more second than the clients send, for those who wait. */
const COLUMNS = 50;
const LEVELS = [..." ▁▂▃▄▅▆▇█"];
/** Characters that a column takes. */
const CELL = width >= 120 ? 2 : 1;

/** How long a column lasts. @param {number} seconds */
export function columnMs(seconds) {
  return ((seconds + 1) * 1000) / COLUMNS;
}

/** What passed and what was limited, column by column. */
export class Chart {
  /** @type {number[][]} */
  #passed;
  /** @type {number[]} */
  #limited = new Array(COLUMNS).fill(0);
  #start;
  #columnMs;
  #seconds;

  /** @param {{ servers: number, start: number, seconds: number }} options */
  constructor({ servers, start, seconds }) {
    this.#passed = Array.from({ length: servers }, () => new Array(COLUMNS).fill(0));
    this.#start = start;
    this.#seconds = seconds;
    this.#columnMs = columnMs(seconds);
  }

  /** @param {import("./traffic.mjs").Answer} answer */
  add({ limited, to, server }) {
    const counts = limited ? this.#limited : (this.#passed[server] ?? []);
    const column = Math.min(Math.max(Math.floor((to - this.#start) / this.#columnMs), 0), COLUMNS - 1);
    counts[column] = (counts[column] ?? 0) + 1;
  }

  /** @param {import("./scenes.mjs").Scene} scene @returns {string[]} */
  lines(scene) {
    const offered = (PER_SECOND * this.#columnMs) / 1000;
    return [
      paint(scene.title.padEnd(15), "bold") + quotaText(scene).padEnd(18) + paint(scene.hint, "dim"),
      ...this.#passedLines(offered),
      this.#axis(),
      line("limited", hanging(this.#limited, offered), "red", this.#limited),
    ];
  }

  /** One server has twice the height; two servers have a line each, and one for their sum. @param {number} offered */
  #passedLines(offered) {
    const [one = [], other] = this.#passed;
    if (other === undefined) {
      const [upper = "", lower = ""] = standing(one, offered, 2);
      return [line("", upper, "green"), line("allowed", lower, "green", one)];
    }
    const sum = one.map((count, i) => count + (other[i] ?? 0));
    const [[a = ""], [b = ""], [both = ""]] = [
      standing(one, offered / 2, 1),
      standing(other, offered / 2, 1),
      standing(sum, offered, 1),
    ];
    return [
      line("server A", a, "green", one),
      line("server B", b, "cyan", other),
      line("A + B", both, "bold", sum),
    ];
  }

  #axis() {
    const second = (1000 / this.#columnMs) * CELL;
    const step = Math.ceil(5 / second);
    let axis = "";
    for (let at = 0; at <= this.#seconds; at += step)
      axis = `${axis.padEnd(Math.round(at * second), "─")}${at}s`;
    return line("", axis.padEnd(COLUMNS * CELL, "─"), "dim");
  }
}

/** A label, what belongs to it, and how many that were in all. @param {string} label @param {string} bars @param {Style | undefined} style @param {number[]} [counts] */
function line(label, bars, style, counts) {
  const total = counts === undefined ? "" : String(counts.reduce((sum, count) => sum + count, 0)).padStart(6);
  return `  ${label.padEnd(10)}${style ? paint(bars, style) : bars}${style ? paint(total, style) : total}`;
}

/** Bars that stand on the line below, from the top row down. @param {number[]} counts @param {number} most @param {number} rows */
function standing(counts, most, rows) {
  const heights = counts.map((each) => height(each, most, rows));
  return Array.from({ length: rows }, (_, row) =>
    heights.map((eighths) => cell(Math.min(Math.max(eighths - (rows - 1 - row) * 8, 0), 8))).join(""),
  );
}

/** Bars that hang from the line above: there is no such character, but the rest of one that stands, in reverse. @param {number[]} counts @param {number} most */
function hanging(counts, most) {
  const heights = counts.map((each) => height(each, most, 1));
  if (!inColour()) return heights.map(cell).join("");
  return heights
    .map((eighths) => (eighths === 0 ? cell(0) : paint(cell(8 - eighths), "red", "hang")))
    .join("");
}

/** In eighths of a row: at least one for anything at all, and one less than all to keep off the row above. @param {number} count @param {number} most @param {number} rows */
function height(count, most, rows) {
  const full = rows * 8 - 1;
  return count === 0 ? 0 : Math.min(Math.max(Math.round((count / most) * full), 1), full);
}

/** @param {number} eighths */
function cell(eighths) {
  return (LEVELS[eighths] ?? "").repeat(CELL);
}
