import { outcome, type Parser } from "./parser.js";

/** Ten times the text may take this many times as long: ten where the time is linear, a hundred where it is quadratic. */
const MOST = 40;
const LONG = 1_000_000;
/** What takes less for a million characters can't look at each of them once for each other: that takes minutes. */
const QUICK_MS = 50;
const ATTEMPTS = 5;

/** Milliseconds that a parser takes for so many characters, the best of some attempts. */
export function parsingMs({ parse }: Parser, unit: string, characters: number, attempts = ATTEMPTS): number {
  const text = unit.repeat(Math.ceil(characters / unit.length));
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const start = performance.now();
    outcome(() => parse(text));
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** Texts for which a parser takes longer than their length accounts for, each by what it is made of. */
export function slowTexts(parser: Parser): string[] {
  return parser.repeated.flatMap((unit) => {
    const ms = parsingMs(parser, unit, LONG);
    if (ms < QUICK_MS) return [];
    const times = ms / parsingMs(parser, unit, LONG / 10);
    return times < MOST
      ? []
      : [`${JSON.stringify(unit)}: ${ms.toFixed(0)} ms, ${times.toFixed(0)} times a tenth of it`];
  });
}
