// @ts-check
// How long does an import take in a fresh process?
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { VERSIONS } from "./competitors/versions.mjs";
import { median, rounded } from "./measure/statistics.mjs";

/** @typedef {import("./measure/question.mjs").Row} Row */

export const title = "How long does an import take?";

const HERE = new URL(".", import.meta.url);
const THERE = new URL("competitors/", import.meta.url);

/** The first one is what it takes to import nothing. @type {{ row: Row, module: string, from: URL }[]} */
const OURS = [
  { row: { name: "an empty module", base: true }, module: "data:text/javascript,", from: HERE },
  { row: { name: "throttled", ours: true }, module: "throttled", from: HERE },
  { row: { name: "throttled/redis", ours: true }, module: "throttled/redis", from: HERE },
];

/** @param {import("./measure/question.mjs").Plan} plan @returns {Promise<import("./measure/question.mjs").Group[]>} */
export async function measure({ rounds, competitors, note }) {
  const others = Object.entries(VERSIONS).map(([name, version]) => ({
    row: { name, version },
    module: name,
    from: THERE,
  }));
  const imported = [...OURS, ...(competitors ? others : [])];
  /** @type {number[][]} */
  const times = imported.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { module, from }] of imported.entries()) times[i]?.push(importMs(module, from));
  }
  const rows = imported.map(({ row }, i) => ({ ...row, ms: rounded(median(times[i] ?? [])) }));
  for (const { name, ms } of rows) note(`import of ${name}: ${ms} ms`);
  return [
    {
      id: "import-time",
      title: "Import in a fresh process, from the start of the import to its end",
      figure: "ms",
      unit: "ms",
      better: "less",
      workloads: [{ id: "import", title: `median of ${rounds} processes`, rows }],
    },
  ];
}

/** @param {string} module @param {URL} from the folder from which it is found */
function importMs(module, from) {
  const script = `const start = performance.now(); await import(${JSON.stringify(module)}); console.log(performance.now() - start); process.exit()`;
  const args = ["--input-type=module", "--eval", script];
  return Number(execFileSync(process.execPath, args, { cwd: fileURLToPath(from), encoding: "utf8" }));
}
