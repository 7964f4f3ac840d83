'use strict';
// The name that was probably meant: "did you mean".

/** The number of letters that differ, are missing or are swapped, up to `most`. */
function distance(a, b, most) {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let earlier;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      let least = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, earlier[j - 2] + 1);
      next.push(least);
    }
    [earlier, row] = [row, next];
  }
  return row[b.length];
}

/** The longest name that is compared. Longer ones take too long, and are rarely typed by hand. */
const LONGEST = 64;

/**
 * The candidate that differs least from `name`; undefined where none is near.
 * @param {string} name
 * @param {Iterable<string>} candidates
 */
function nearest(name, candidates) {
  if (name.length > LONGEST) return undefined;
  const most = name.length > 6 ? 2 : 1;
  let [best, least] = [undefined, most + 1];
  for (const candidate of candidates) {
    const changes = candidate.toLowerCase() === name.toLowerCase() ? 0 : distance(name, candidate, most);
    if (changes < least) [best, least] = [candidate, changes];
  }
  return best;
}

/** The end of a message: `. Did you mean 'x'?`, or nothing. */
const didYouMean = (name) => (name === undefined ? '' : `. Did you mean '${name}'?`);

module.exports = { nearest, didYouMean };
