'use strict';
// The source that reads values out of the argument buffer: first, at once, by elements of typed arrays alone; the
// values that the user gets are made of these. memory/arg-buffer.js has the reason. Source may be made late, so that
// nothing here uses an iterator: a program may have replaced it by then. A DataView will not do: V8 may run other
// JavaScript where its methods are entered.

const { makeError } = require('../errors.js');
const { toExactSigned, toExactUnsigned, placeInexact } = require('../exact-numbers.js');
const { arrays, EPOCH } = require('../memory/arg-buffer.js');

const TWO_32 = 2 ** 32;
const bigOf = (high, low) => (BigInt(high) << 32n) | BigInt(low >>> 0);

/** The expressions for a value of the halves of a word, which are elements of an Int32Array. */
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
  toExactSigned,
  toExactUnsigned,
};

/**
 * By the function that reads a value: `raws` are the expressions that have to be evaluated at once, `value` is the
 * expression of the value of the names of those, and `from` makes of that what the user gets. `place` is source that
 * says what the value is of, for errors.
 */
const inlines = new WeakMap();

/** The value is that of one expression; undefined where there is none for a place. */
const byExpression = (source) => ({
  source,
  raws: (at) => (source(at) === undefined ? undefined : [source(at)]),
  value: (names) => names[0],
});
/** It is an element of an array over the argument buffer. */
const byElement = (name, more = '') =>
  byExpression((at) => {
    const size = arrays[name].BYTES_PER_ELEMENT;
    return at % size === 0 ? `${name}[${at / size}]${more}` : undefined;
  });
/** It is made of two halves. */
const byHalves = (make) => ({
  raws: (at) => (at % 4 === 0 ? [`words[${at / 4 + 1}]`, `words[${at / 4}]`] : undefined),
  value: (names) => `${make}(${names[0]}, ${names[1]})`,
});
/** It is made of two halves, which may throw. */
const byHalvesOf = (make) => ({
  ...byHalves(make),
  value: (names, place = '') => `${make}(${names[0]}, ${names[1]}${place})`,
});

function noteInline(read, inline) {
  inlines.set(read, inline);
}
/** Of a type's descriptor; undefined where there is no such source. */
const inlineOf = (descriptor) => inlines.get(descriptor.read);

/** The source that declares what the source of this file uses, of an object that has `arrays` and `halves`. */
const DECLARED = `const { ${Object.keys(arrays).join(', ')}, ${Object.keys(halves).join(', ')} } = runtime;`;
const runtime = { ...arrays, ...halves };

const each = (descriptors, line) => descriptors.map(line).filter(Boolean).join('\n    ');
const constants = (raws, name) =>
  raws.length === 0 ? '' : `const ${raws.map((raw, i) => `${name}${i} = ${raw}`).join(', ')};\n    `;

/** Reads an argument of a callback from a private copy of its bytes. */
function decodeArgument(descriptor, bytes, name, index) {
  try {
    return decode(descriptor, bytes);
  } catch (error) {
    throw placeInexact(error, name, index);
  }
}

/** Reads a value from a private copy of its bytes. */
const decode = (descriptor, bytes) => descriptor.read(new DataView(bytes.buffer), 0);

// ---- results of calls -----------------------------------------------------------------------------------------------

/** The most bytes of a result that generated source reads at once; larger ones are hardly ever returned. */
const MOST_AT_ONCE = 256;

/**
 * The source that reads a result: `raws` must be evaluated at once, `value` makes the result of their names.
 */
function resultSource(descriptor, at) {
  const inline = inlineOf(descriptor);
  let raws = inline?.raws(at);
  let make = inline?.from === undefined ? inline?.value : (names) => `from(${inline.value(names)})`;
  if (raws === undefined && descriptor.size <= MOST_AT_ONCE) {
    raws = [];
    for (let i = 0; i < descriptor.size / 4; i += 1) raws.push(`words[${at / 4 + i}]`);
    make = (names) => `runtime.readWords(result, [${names}])`;
  } else if (raws === undefined) {
    raws = [`words[${EPOCH}]`, `new runtime.Uint8Array(runtime.bytesAt(${at}, ${descriptor.size}))`, `words[${EPOCH}]`];
    make = (names) => `runtime.readLarge(result, ${names})`;
  }
  return { raws, value: (name) => make(raws.map((_, i) => `${name}${i}`)) };
}

/** Memory for the words of one result, which is faster than new memory for each. */
let scratch;
/** Whether a result is read there. V8 may run other JavaScript meanwhile. */
let isUsed = false;

function readWords(descriptor, all) {
  if (isUsed) return decode(descriptor, Int32Array.from(all));
  if (scratch === undefined) {
    const bytes = new Int32Array(MOST_AT_ONCE / 4);
    scratch = { bytes, view: new DataView(bytes.buffer) };
  }
  isUsed = true;
  try {
    for (let i = 0; i < all.length; i += 1) scratch.bytes[i] = all[i];
    return descriptor.read(scratch.view, 0);
  } finally {
    isUsed = false;
  }
}

/** The result is lost if other calls have overwritten it while it was copied. */
function readLarge(descriptor, before, bytes, then) {
  if (before === then) return decode(descriptor, bytes);
  throw makeError(
    'ERR_FFI_INTERNAL',
    `a ${descriptor.name} of ${descriptor.size} bytes was lost: other calls were made while it was read`,
  );
}

module.exports = {
  noteInline,
  inlineOf,
  byExpression,
  byElement,
  byHalves,
  byHalvesOf,
  halves,
  constants,
  each,
  decode,
  decodeArgument,
  runtime,
  DECLARED,
  resultSource,
  readWords,
  readLarge,
};
