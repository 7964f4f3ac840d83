'use strict';
// The name that was probably meant.

const { KNOWN } = require('./names.js');

/** How many letters have to change, up to `most`. */
function distance(a, b, most) {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

/**
 * The known type name that differs least from `name`; undefined where none is near.
 * @param {string} name
 * @param {string[]} declared the names of the text
 */
function nearest(name, declared) {
  const most = name.length > 6 ? 2 : 1;
  let [best, least] = [undefined, most + 1];
  for (const candidate of [
    ...declared,
    ...KNOWN.keys(),
    'int',
    'char',
    'short',
    'long',
    'float',
    'double',
    'unsigned',
    'void',
    'bool',
    'FILE',
    'DIR',
  ]) {
    const changes = distance(name, candidate, most);
    if (changes < least) [best, least] = [candidate, changes];
  }
  return best;
}

module.exports = { nearest };
