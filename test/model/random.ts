/** Random numbers of which a seed tells all: the same on every machine. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed a whole number from 0 to 2^53. */
  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32);
    this.#c = 0x9e3779b9;
    // Seeds that are alike must not begin alike.
    for (let i = 0; i < 12; i++) this.#word();
  }

  /** A whole number from `least` to `most`, each as likely. */
  between(least: number, most: number): number {
    return least + Math.floor(this.#unit() * (most - least + 1));
  }

  /** A whole number from 1 to `most`, of which small ones are more likely: each magnitude is as likely. */
  upTo(most: number): number {
    return Math.min(most, Math.floor(2 ** (this.#unit() * Math.log2(most + 1))));
  }

  /** Whether something happens that does so `of` times in a hundred. */
  percent(of: number): boolean {
    return this.#unit() * 100 < of;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#unit() * list.length)]!;
  }

  /** One of the names, each as likely as its weight is large. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    let all = 0;
    for (const name in weights) all += weights[name];
    let rest = this.#unit() * all;
    for (const name in weights) {
      rest -= weights[name];
      if (rest < 0) return name;
    }
    throw new Error("Expected weights above 0");
  }

  /** From 0 to below 1. */
  #unit(): number {
    return ((this.#word() >>> 5) * 2 ** 26 + (this.#word() >>> 6)) / 2 ** 53;
  }

  /** "Small fast counting" by C. Doty-Humphrey, with 128 bits of state. */
  #word(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
