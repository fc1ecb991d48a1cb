// @ts-check

/**
 * @param {readonly number[]} numbers
 * @param {number} percent 0 to 100
 */
export function percentile(numbers, percent) {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.round((percent / 100) * (sorted.length - 1))] ?? Number.NaN;
}

/** @param {readonly number[]} numbers */
export function median(numbers) {
  return percentile(numbers, 50);
}

/** Four significant digits: more would be noise, and would make every run a large change to the results. @param {number} number */
export function rounded(number) {
  return Number(number.toPrecision(4));
}
