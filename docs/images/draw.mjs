// Draws a picture of each algorithm from a real run: `npm run build && node docs/images/draw.mjs [folder]`.
// All five are offered the same traffic, under the same quota, by a clock that is moved by hand.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { MemoryStore, Throttled } from "throttled";
import { ManualClock } from "throttled/testing";

const LIMIT = 10;
const PERIOD_MS = 1_000;
const LENGTH_MS = 4_000;
const TIMEOUT_MS = 1_000;
/** In which one unit drains, or comes back. */
const TICK_MS = PERIOD_MS / LIMIT;
const every = (step, from, count) => Array.from({ length: count }, (_, i) => from + i * step);
/** Two bursts around the end of a window, two and a half times the quota for a while, then single calls. */
const OFFERED = [
  ...every(14, 750, 14),
  ...every(14, 1_050, 14),
  ...every(40, 1_600, 41),
  3_500,
  3_700,
  3_900,
];

const PICTURES = [
  {
    using: "fixed-window",
    title: "Fixed window: a counter that starts at 0 with each window",
    note: "both bursts pass, each in a window of its own: 20 calls within 0.5 s",
    state: { name: "used", top: "limit 10", of: ({ limit, remaining }) => limit - remaining },
  },
  {
    using: "sliding-window",
    title: "Sliding window: the window before still counts, less and less",
    note: "the second burst meets what still counts of the first",
    state: {
      name: "used",
      top: "limit 10",
      of: ({ limit, remaining }) => limit - remaining,
      fades: "of the window before",
    },
  },
  {
    using: "token-bucket",
    title: "Token bucket: a full bucket allows a burst, then the refill sets the pace",
    note: "the bucket is empty: calls pass as tokens come, 10 a second",
    state: {
      name: "tokens",
      top: "full 10",
      of: ({ limit, resetAfterMs }) => limit - resetAfterMs / TICK_MS,
    },
  },
  {
    using: "leaky-bucket",
    title: "Leaky bucket: calls that may wait go one by one, as the bucket drains",
    note: "refused when the bucket would overflow: as the token bucket",
    paced: "100 ms apart; refused when their turn is more than 1 s away",
    state: { name: "level", top: "1 s to drain", of: ({ resetAfterMs }) => resetAfterMs / TICK_MS },
  },
  {
    using: "gcra",
    title: "GCRA: one moment, the theoretical arrival time (TAT), moved on by every call",
    note: "each call moves it on by 100 ms, time catches up: it decides as the token bucket",
    state: { name: "TAT − now", top: "≤ 1000 ms", of: ({ resetAfterMs }) => resetAfterMs / TICK_MS },
  },
];

/** What became of each call, and the state after each millisecond. */
async function run(using, timeout) {
  const clock = new ManualClock();
  const start = clock.now();
  const throttle = new Throttled({
    using,
    quota: { limit: LIMIT, period: PERIOD_MS },
    store: new MemoryStore({ clock }),
    timeout,
  });
  const calls = [];
  const states = [];
  for (let ms = 0; ms <= LENGTH_MS; ms++) {
    clock.set(start + ms);
    await settled();
    for (const offered of OFFERED.filter((each) => each === ms)) {
      const call = { offered };
      calls.push(call);
      throttle
        .limit("key")
        .then(({ limited }) => Object.assign(call, limited ? { limited } : { went: clock.now() - start }));
      await settled();
    }
    states.push(throttle.peekSync("key"));
  }
  return { calls, states };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

const WIDTH = 880;
const LEFT = 92;
const RIGHT = WIDTH - 16;
const BIN_MS = 50;
const CELL = 10;
const ROW = 82;
const UNIT = 8;
const x = (ms) => round(LEFT + (ms / LENGTH_MS) * (RIGHT - LEFT));
const round = (number) => Math.round(number * 10) / 10;
const text = (className, left, y, content, anchor = "start") =>
  `<text class="${className}" x="${left}" y="${y}" text-anchor="${anchor}">${content}</text>`;

const STYLE = `
  .card { fill: #ffffff; stroke: #d1d9e0 } .grid { stroke: #d1d9e0 } .axis { stroke: #818b98 }
  text { fill: #59636e; font: 12px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
  .title { fill: #1f2328; font-size: 15px; font-weight: 600 } .note { fill: #1f2328; font-style: italic }
  .passed { fill: #1a7f37 } .count { fill: #1a7f37; font-weight: 600 }
  .limited { fill: none; stroke: #d1242f; stroke-width: 1.4 }
  .line { fill: none; stroke: #0969da; stroke-width: 1.8 } .area { fill: #0969da; fill-opacity: 0.14 }
  .fades { fill: #9a6700; fill-opacity: 0.4 } .top { stroke: #9a6700; stroke-dasharray: 5 4; stroke-width: 1.3 }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #30363d } .grid { stroke: #30363d } .axis { stroke: #6e7681 } text { fill: #9198a1 }
    .title, .note { fill: #f0f6fc } .passed, .count { fill: #3fb950 } .limited { stroke: #f85149 }
    .line { stroke: #58a6ff } .area { fill: #58a6ff; fill-opacity: 0.2 } .fades { fill: #d29922 } .top { stroke: #d29922 }
  }`;

const passedMark = (left, top) =>
  `<rect class="passed" x="${left}" y="${top + 1}" width="8" height="8" rx="1.6"/>`;
const limitedMark = (left, top) =>
  `<rect class="limited" x="${round(left + 0.7)}" y="${round(top + 1.7)}" width="6.6" height="6.6" rx="1.2"/>`;

/** One square for each call, piled up where many come at once: filled where it went, hollow where it was refused. */
function squares(calls, bottom) {
  const piles = new Map();
  const place = (mark) => (ms) => {
    const bin = Math.floor(ms / BIN_MS);
    const height = (piles.get(bin) ?? 0) + 1;
    piles.set(bin, height);
    return mark(round(x(bin * BIN_MS) + 0.8), bottom - height * CELL);
  };
  const went = calls.map((call) => call.went).filter((ms) => ms !== undefined);
  const refused = calls.filter((call) => call.limited).map((call) => call.offered);
  return [...went.map(place(passedMark)), ...refused.map(place(limitedMark))].join("");
}

/** A row of calls, and how many passed in each second. */
function row({ calls }, label, note, bottom) {
  const counts = SECONDS.slice(0, -1).map((from) => {
    const passed = calls.filter(({ went }) => went >= from && went < from + PERIOD_MS).length;
    return text("count", x(from + PERIOD_MS / 2), bottom + 16, `${passed} passed`, "middle");
  });
  const axis = `<line class="axis" x1="${LEFT}" x2="${RIGHT}" y1="${bottom}" y2="${bottom}"/>`;
  return [
    text("label", 16, bottom - 3, label),
    text("note", x(1_330), bottom - 36, note),
    axis,
    squares(calls, bottom),
    ...counts,
  ].join("\n");
}

/** The state over time, as a line with an area under it; only the points where it turns. */
function curve(values, bottom, className) {
  const turns = values.map((value, ms) => {
    const [before, after] = [values[ms - 1], values[ms + 1]];
    return before === undefined || after === undefined || Math.abs(value - before - (after - value)) > 1e-9;
  });
  const points = values
    .map((value, ms) => `${x(ms)},${round(bottom - value * UNIT)}`)
    .filter((_, ms) => turns[ms]);
  const area = `<polygon class="${className}" points="${x(0)},${bottom} ${points.join(" ")} ${x(values.length - 1)},${bottom}"/>`;
  return className === "area" ? `${area}<polyline class="line" points="${points.join(" ")}"/>` : area;
}

function stateOverTime({ calls, states }, { name, top, of, fades }, bottom) {
  const values = states.map(of);
  const limit = bottom - LIMIT * UNIT;
  const parts = [
    text("label", 16, bottom - 3, name),
    text("label", LEFT - 8, limit + 4, top, "end"),
    `<line class="top" x1="${LEFT}" x2="${RIGHT}" y1="${limit}" y2="${limit}"/>`,
    curve(values, bottom, "area"),
    `<line class="axis" x1="${LEFT}" x2="${RIGHT}" y1="${bottom}" y2="${bottom}"/>`,
  ];
  if (fades) {
    const before = values.map((value, ms) => {
      const from = ms - (ms % PERIOD_MS);
      return value - calls.filter(({ went }) => went >= from && went <= ms).length;
    });
    parts.push(curve(before, bottom, "fades"), text("note", x(1_060), bottom - 12, fades));
  }
  return parts.join("\n");
}

const SECONDS = every(PERIOD_MS, 0, LENGTH_MS / PERIOD_MS + 1);

function frame(title, body, bottom) {
  const height = bottom + 30;
  const seconds = SECONDS.map((ms) => {
    const anchor = ms === LENGTH_MS ? "end" : "middle";
    return `<line class="grid" x1="${x(ms)}" x2="${x(ms)}" y1="46" y2="${bottom}"/>${text("label", x(ms), bottom + 18, `${ms / 1_000} s`, anchor)}`;
  });
  const legend = `${passedMark(RIGHT - 150, 17)}${text("label", RIGHT - 137, 27, "passed")}${limitedMark(RIGHT - 72, 17)}${text("label", RIGHT - 59, 27, "limited")}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
<title>${title}</title>
<style>${STYLE}
</style>
<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
${text("title", 16, 28, title)}
${legend}
${seconds.join("\n")}
${body}
</svg>
`;
}

async function draw({ using, title, note, paced, state }) {
  const atOnce = await run(using, 0);
  const waiting = paced && (await run(using, TIMEOUT_MS));
  const parts = [row(atOnce, waiting ? "timeout 0" : "calls", note, 110)];
  if (waiting) parts.push(row(waiting, "timeout 1 s", paced, 110 + ROW));
  const bottom = 110 + ROW * parts.length + 46;
  return frame(title, [...parts, stateOverTime(waiting || atOnce, state, bottom)].join("\n"), bottom);
}

const folder = process.argv[2] ?? fileURLToPath(new URL(".", import.meta.url));
for (const picture of PICTURES) writeFileSync(`${folder}/${picture.using}.svg`, await draw(picture));
