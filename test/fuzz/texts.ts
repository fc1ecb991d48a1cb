import fc from "fast-check";

/** What goes wrong at a place of a text. */
const FAULTS: readonly ((text: string, at: number, length: number, piece: string) => string)[] = [
  (text, at, length) => text.slice(0, at) + text.slice(at + length),
  (text, at, length) => text.slice(0, at + length) + text.slice(at),
  (text, at, _, piece) => text.slice(0, at) + piece + text.slice(at),
  (text, at, length, piece) => text.slice(0, at) + piece + text.slice(at + length),
  (text, at) => text.slice(0, at),
  (text, at) => text.slice(at),
  (text, at, length) =>
    text.slice(0, at) + text.slice(at, at + length).toUpperCase() + text.slice(at + length),
];

const PIECES = [
  ..." \t\n\r\0\"'\\%,;|/:@[]{}<>^#?=+-_.0159azſK٣é€\u2028\ufeff\ud800\u{1f511}",
  "1e3",
  "0x1",
  "__proto__",
];

/** Text of any characters, those included that belong to no text. */
export const anyText = fc.string({ unit: "binary", maxLength: 40 });

/** Texts with one to three faults. */
export function faulty(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const piece = fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: "binary", maxLength: 3 }));
  const fault = fc.tuple(fc.constantFrom(...FAULTS), fc.nat(), fc.integer({ min: 1, max: 8 }), piece);
  return fc
    .tuple(texts, fc.array(fault, { minLength: 1, maxLength: 3 }))
    .map(([text, faults]) =>
      faults.reduce((all, [make, at, length, put]) => make(all, at % (all.length + 1), length, put), text),
    );
}

/** Words one after the other, which are rarely a sentence. */
export function jumble(...words: string[]): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...words), { maxLength: 16 }).map((all) => all.join(""));
}

/** Texts that a grammar allows, that are nearly such, made of its words, and of anything. */
export function texts(valid: fc.Arbitrary<string>, ...words: string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: valid },
    { weight: 4, arbitrary: faulty(valid) },
    { weight: 2, arbitrary: jumble(...words) },
    { weight: 1, arbitrary: anyText },
  );
}
