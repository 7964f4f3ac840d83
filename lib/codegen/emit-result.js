'use strict';
// How the result of a call is read out of the frame, in generated source and without it.

const { makeError } = require('../errors.js');
const { bytesAt, EPOCH } = require('../memory/arg-buffer.js');
const { inlineOf, decode } = require('./inline-read.js');

/** The most bytes of a result that generated source reads at once; larger ones are hardly ever returned. */
const MOST_AT_ONCE = 256;

/** How generated source reads a result: `raws` have to be evaluated at once, `value` makes the result of their names. */
function resultSource(row, at) {
  const inline = inlineOf(row);
  let raws = inline?.raws(at);
  let make = inline?.from === undefined ? inline?.value : (names) => `from(${inline.value(names)})`;
  if (raws === undefined && row.size <= MOST_AT_ONCE) {
    raws = [];
    for (let i = 0; i < row.size / 4; i += 1) raws.push(`words[${at / 4 + i}]`);
    make = (names) => `help.readWords(result, [${names}])`;
  } else if (raws === undefined) {
    raws = [`words[${EPOCH}]`, `new help.Uint8Array(help.bytesAt(${at}, ${row.size}))`, `words[${EPOCH}]`];
    make = (names) => `help.readLarge(result, ${names})`;
  }
  return { raws, value: (name) => make(raws.map((_, i) => `${name}${i}`)) };
}

function readWords(row, all) {
  const bytes = new Int32Array(all.length);
  for (let i = 0; i < all.length; i += 1) bytes[i] = all[i];
  return decode(row, bytes);
}

/** The result is lost if other calls have overwritten it while it was copied. */
function readLarge(row, before, bytes, then) {
  if (before === then) return decode(row, bytes);
  throw makeError('ERR_FFI_INTERNAL', `a ${row.name} of ${row.size} bytes was lost: other calls were made while it was read`);
}

module.exports = { resultSource, readWords, readLarge };
