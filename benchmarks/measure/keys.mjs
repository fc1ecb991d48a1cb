// @ts-check

/**
 * Strings of 14 characters in one piece: one that is still glued together would be flattened by whoever looks it up first.
 * @param {number} count
 * @param {number} [from]
 */
export function flatKeys(count, from = 0) {
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(`user:${String(from + i).padStart(9, "0")}`).toString("latin1"),
  );
}

/**
 * Keys to ask for in turn, drawn at random by a generator of fixed seed; a power of two of them, for `at & (length - 1)`.
 * @param {readonly string[]} keys
 */
export function inRandomOrder(keys) {
  const length = 2 ** Math.max(14, Math.ceil(Math.log2(keys.length)));
  let state = 2_463_534_242;
  return Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return /** @type {string} */ (keys[(state >>> 0) % keys.length]);
  });
}
