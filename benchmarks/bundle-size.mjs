// @ts-check
// How much code is it?
import { VERSIONS } from "./competitors/versions.mjs";
import { bundleSize } from "./measure/bundle.mjs";
import { rounded } from "./measure/statistics.mjs";

/** @typedef {import("./measure/question.mjs").Row} Row */

export const title = "How much code is it?";

const HERE = new URL(".", import.meta.url);
const THERE = new URL("competitors/", import.meta.url);

/** @type {readonly { row: Row, modules: string[], external: string[] }[]} */
const OURS = [
  { row: { name: "throttled", ours: true }, modules: ["throttled"], external: ["lru-cache"] },
  { row: { name: "throttled, with lru-cache", ours: true }, modules: ["throttled"], external: [] },
  {
    row: { name: "throttled and throttled/redis", ours: true, aside: true },
    modules: ["throttled", "throttled/redis"],
    external: ["lru-cache", "ioredis"],
  },
];

/** @param {import("./measure/question.mjs").Plan} plan @returns {Promise<import("./measure/question.mjs").Group[]>} */
export async function measure(plan) {
  /** @type {Row[]} */
  const rows = [];
  const add = async (
    /** @type {Row} */ row,
    /** @type {Promise<{ kB: number, minifiedKB: number }>} */ size,
  ) => {
    const { kB, minifiedKB } = await size;
    plan.note(`${row.name}: ${kB.toFixed(1)} kB, ${minifiedKB.toFixed(1)} kB before compression`);
    rows.push({ ...row, kB: rounded(kB), minifiedKB: rounded(minifiedKB) });
  };
  for (const { row, modules, external } of OURS) await add(row, bundleSize(modules, HERE, external));
  const names = Object.keys(VERSIONS).filter((name) => name !== "lru-cache");
  for (const name of plan.competitors ? names : []) {
    // What only the types of a package need, and what it asks its user to bring, is not its own.
    const size = bundleSize([name], THERE, ["express", "fastify", "hono", "ioredis", "redis", "unstorage"]);
    await add({ name, version: /** @type {string} */ (VERSIONS[name]) }, size);
  }
  return [
    {
      id: "bundle-size",
      title: "Everything that an entry point exports, minified and compressed by gzip",
      figure: "kB",
      unit: "kB",
      better: "less",
      details: ["minifiedKB"],
      workloads: [{ id: "bundle", title: "esbuild, for Node", rows }],
    },
  ];
}
