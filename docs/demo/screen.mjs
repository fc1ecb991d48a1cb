// @ts-check

const { stdout, env } = process;

/** Whether the same lines can be drawn again and again: a terminal that is wide enough not to wrap them. */
const live = stdout.isTTY && env["TERM"] !== "dumb" && stdout.columns >= 80;
const colours = stdout.isTTY && env["TERM"] !== "dumb" && !env["NO_COLOR"];

/** How many characters fit on a line; 80 where nobody says. */
export const width = stdout.columns ?? 80;

const CODES = { bold: 1, dim: 2, hang: 7, red: 31, green: 32, cyan: 36 };

/** @typedef {keyof typeof CODES} Style */

/**
 * Text in a colour, where there are colours.
 * @param {string} text
 * @param {...Style} styles
 */
export function paint(text, ...styles) {
  if (!colours || text === "") return text;
  return `\x1b[${styles.map((style) => CODES[style]).join(";")}m${text}\x1b[0m`;
}

/** Whether `paint` does anything. */
export function inColour() {
  return colours;
}

// Without a cursor, and without wrapping: a line that is too long after a resize must stay one line.
const BEGIN = "\x1b[?25l\x1b[?7l";
const END = "\x1b[?7h\x1b[?25h";

let drawn = 0;

/** Shows lines that are not final yet; where nothing can be drawn again it waits for the final ones. @param {string[]} lines */
export function draw(lines) {
  if (!live) return;
  const up = drawn > 0 ? `\x1b[${drawn}A` : BEGIN;
  stdout.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join("")}`);
  drawn = lines.length;
}

/** Shows lines that stay. @param {string[]} lines */
export function print(lines) {
  if (drawn > 0) draw(lines);
  else stdout.write(lines.map((line) => `${line}\n`).join(""));
  restore();
}

/** Leaves the terminal as it was found, whatever was being drawn. */
export function restore() {
  if (drawn > 0) stdout.write(END);
  drawn = 0;
}
