// @ts-check

/**
 * A change of one operator.
 * @typedef {object} Mutant
 * @property {number} line from 1 on
 * @property {number} column from 1 on
 * @property {string} from
 * @property {string} to
 * @property {string} source the whole file with the change
 */

/** What becomes of each operator. @type {Readonly<Record<string, string>>} */
const FLIPPED = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "==": "~=",
  "~=": "==",
  and: "or",
  or: "and",
  not: "",
  true: "false",
  false: "true",
  min: "max",
  max: "min",
  floor: "ceil",
  ceil: "floor",
};

/** Comments, strings and names are passed over; an operator stands alone. */
const TOKEN =
  /--\[\[[\s\S]*?\]\]|--[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|[A-Za-z_]\w*|\d+(?:\.\d+)?|\.{2,3}|[<>=~]=|[-+*/%<>#^]/g;

/** Every change of one operator in a file. @param {string} source @returns {Mutant[]} */
export function mutantsOf(source) {
  /** @type {Mutant[]} */
  const mutants = [];
  for (const { 0: token, index } of source.matchAll(TOKEN)) {
    const flipped = Object.hasOwn(FLIPPED, token) ? FLIPPED[token] : undefined;
    // Behind a dot or before a dot it is the name of a field.
    if (flipped === undefined || /[.:]\s*$/.test(source.slice(0, index)) || isBinding(source, index))
      continue;
    const before = source.slice(0, index).split("\n");
    mutants.push({
      line: before.length,
      column: /** @type {string} */ (before.at(-1)).length + 1,
      from: token,
      to: flipped,
      source: source.slice(0, index) + flipped + source.slice(index + token.length),
    });
  }
  return mutants;
}

/** Whether a name is only introduced there. @param {string} source @param {number} index */
function isBinding(source, index) {
  const line = source.slice(source.lastIndexOf("\n", index) + 1, index);
  return /^\s*local [\w, ]*$/.test(line);
}
