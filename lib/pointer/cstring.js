'use strict';
// CString: copies C text into a JavaScript string.

const { MAX_STRING_LENGTH } = require('node:buffer').constants;
const { atCaller, outOfRange, wrongValue } = require('../errors.js');
const access = require('../memory/access.js');
const { bufferOf, byteLengthOf, fixedSize, isView, offsetOf } = require('../memory/array-buffer.js');
const { copyOf } = require('../memory/copy.js');
const { integerOf } = require('../validate.js');
const { storageOf } = require('../types/pointers.js');
const { ENCODINGS, UNITS, decode, decodeText } = require('../types/text-units.js');
const { lengthOf } = require('./external.js');

const NAME = 'CString';

/**
 * The text at an address or in a view, up to its NUL or of `byteLength` bytes. Works with and without `new`, and gives
 * a primitive string without (bun since 1.4).
 */
function CString(source, byteOffset = 0, byteLength, encoding = 'utf8') {
  try {
    const text = textOf(source, byteOffset ?? 0, byteLength ?? undefined, encodingOf(encoding));
    return new.target === undefined ? text : Object(text);
  } catch (error) {
    throw atCaller(error, CString); // node-do-not-add-exception-line
  }
}

function encodingOf(encoding) {
  const known = typeof encoding === 'string' ? ENCODINGS[encoding] : undefined;
  if (known === undefined)
    throw wrongValue(`${NAME}: encoding`, `one of ${Object.keys(ENCODINGS).join(', ')}`, encoding);
  return known;
}

function textOf(source, byteOffset, byteLength, encoding) {
  if (source === null || source === 0 || source === 0n) return '';
  const storage = typeof source === 'object' && !isView(source) ? (source[storageOf] ?? source) : source;
  if (isView(storage)) return textOfView(storage, byteOffset, byteLength, encoding);
  const start = access.checkedAddress(storage, byteOffset, NAME);
  if (byteLength === undefined) {
    return encoding === 'utf8'
      ? access.textOf(start, undefined, NAME)
      : access.wideTextAt(start, UNITS[encoding], NAME);
  }
  const length = checkedLength(lengthOf(start, byteLength, NAME));
  if (length === 0) return '';
  if (encoding === 'utf8') return access.textOf(start, length, NAME);
  return decode(copyOf(start, 0, length, NAME), encoding);
}

function checkedLength(length) {
  if (length <= MAX_STRING_LENGTH) return length;
  throw outOfRange(`${NAME}: byteLength`, `an integer of at most ${MAX_STRING_LENGTH}`, length);
}

/** The text in a view: up to its NUL, or the end of the view. */
function textOfView(view, byteOffset, byteLength, encoding) {
  const fixed = fixedSize(view, NAME, 'ptr');
  const size = byteLengthOf(fixed);
  const offset = integerOf(byteOffset, `${NAME}: byteOffset`, `an integer from 0 to ${size}`, 0, size);
  const most = size - offset;
  const length =
    byteLength === undefined
      ? most
      : integerOf(byteLength, `${NAME}: byteLength`, `an integer from 0 to ${most}, the rest of the view`, 0, most);
  const bytes = new Uint8Array(bufferOf(fixed), offsetOf(fixed) + offset, checkedLength(length));
  return byteLength === undefined ? decodeText(bytes, encoding) : decode(bytes, encoding);
}

module.exports = { CString };
