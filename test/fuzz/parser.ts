import fc from "fast-check";

/** A parser, the inputs that it gets, and what must hold for each of them. */
export interface Parser {
  /** As the command line names it. */
  readonly name: string;
  readonly property: fc.IProperty<[unknown]>;
  /** Parses a text of any length, whatever comes of it. */
  readonly parse: (text: string) => unknown;
  /** What long texts are made of, of which each may be the one that takes too long. */
  readonly repeated: readonly string[];
}

/** @param check throws if the parser does with an input what it should not. */
export function parser<Input>(
  name: string,
  inputs: fc.Arbitrary<Input>,
  check: (input: Input) => void,
  { parse, repeated }: Pick<Parser, "parse" | "repeated">,
): Parser {
  return { name, property: fc.property(inputs, check), parse, repeated };
}

/** What became of a text. */
export type Outcome<Value> = { readonly value: Value } | { readonly error: unknown };

/** What `make` answers or throws. */
export function outcome<Value>(make: () => Value): Outcome<Value> {
  try {
    return { value: make() };
  } catch (error) {
    return { error };
  }
}

const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** @throws Error unless an error is what users are promised: of the right type, naming the argument, on one short line. */
export function checkComplaint(
  error: unknown,
  names: readonly string[],
  most: number,
): asserts error is TypeError | RangeError {
  if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
  const { message } = error;
  if (!names.some((name) => message.startsWith(`Expected ${name} to be `))) {
    throw new Error(`Does not name the argument: ${message}`);
  }
  if (UNPRINTABLE.test(message)) throw new Error(`Not one line of text: ${JSON.stringify(message)}`);
  if (message.length > most) throw new Error(`Longer than ${most} characters: ${message}`);
}
