'use strict';
// How generated source reads values out of the frame: first, at once, by elements of typed arrays alone; what the user gets
// is made of that. memory/arg-buffer.js has the reason. Source may be made late, so that nothing here uses an iterator: a program may have
// replaced it by then. A DataView will not do: V8 may run other JavaScript where its methods are entered.

const { arrays } = require('../memory/arg-buffer.js');

const TWO_32 = 2 ** 32;
const bigOf = (high, low) => (BigInt(high) << 32n) | BigInt(low >>> 0);

/** What generated source makes of the halves of a word, which are elements of an Int32Array. */
const halves = {
  /** NULL is null; an address above 2^53-1 is a BigInt. */
  toAddress(high, low) {
    const number = (high >>> 0) * TWO_32 + (low >>> 0);
    if (number === 0) return null;
    return high >>> 0 < 0x200000 ? number : bigOf(high >>> 0, low);
  },
  /** A number where the value fits 2^53-1, else a BigInt. */
  toSigned(high, low) {
    const number = high * TWO_32 + (low >>> 0);
    return Number.isSafeInteger(number) ? number : bigOf(high, low);
  },
  toUnsigned(high, low) {
    const number = (high >>> 0) * TWO_32 + (low >>> 0);
    return Number.isSafeInteger(number) ? number : bigOf(high >>> 0, low);
  },
};

/**
 * By the function that reads a value: `raws` are the expressions that have to be evaluated at once, `value` is the expression
 * of the value of the names of those, and `from` makes of that what the user gets.
 */
const inlines = new WeakMap();

/** The value is that of one expression; undefined where there is none for a place. */
const byExpression = (source) => ({
  source,
  raws: (at) => (source(at) === undefined ? undefined : [source(at)]),
  value: (names) => names[0],
});
/** It is an element of an array over the frame. */
const byElement = (name, more = '') => byExpression((at) => {
  const size = arrays[name].BYTES_PER_ELEMENT;
  return at % size === 0 ? `${name}[${at / size}]${more}` : undefined;
});
/** It is made of two halves. */
const byHalves = (make) => ({
  raws: (at) => (at % 4 === 0 ? [`words[${at / 4 + 1}]`, `words[${at / 4}]`] : undefined),
  value: (names) => `${make}(${names[0]}, ${names[1]})`,
});

function noteInline(read, inline) {
  inlines.set(read, inline);
}
/** Of a type's row; undefined where there is no such source. */
const inlineOf = (row) => inlines.get(row.read);

/** The source that declares what the source of this file uses, of an object that has `arrays` and `halves`. */
const DECLARED = `const { ${Object.keys(arrays).join(', ')}, ${Object.keys(halves).join(', ')} } = help;`;
const help = { ...arrays, ...halves };

const each = (rows, line) => rows.map(line).filter(Boolean).join('\n    ');
const constants = (raws, name) =>
  (raws.length === 0 ? '' : `const ${raws.map((raw, i) => `${name}${i} = ${raw}`).join(', ')};\n    `);

/** Reads a value from a private copy of its bytes. */
const decode = (row, bytes) => row.read(new DataView(bytes.buffer), 0);

module.exports = {
  noteInline, inlineOf, byExpression, byElement, byHalves, halves, constants, each, decode, help, DECLARED,
};
