'use strict';
// Text in arrays of characters: UTF-8, UTF-16 or UTF-32, by the type of the elements.

const { Buffer } = require('node:buffer');
const { sizes, wchar } = require('./scalars.js');

const WIDE = sizes[wchar.id] === 2 ? 'utf16' : 'utf32';
/** The bytes of a unit of each encoding. */
const UNITS = { __proto__: null, utf8: 1, utf16: 2, utf32: 4 };

/** The encodings that `text` and `read` take, under all names: `wide` is that of wchar_t. */
const ENCODINGS = { __proto__: null, utf8: 'utf8', utf16: 'utf16', utf32: 'utf32', wide: WIDE };

/**
 * The encoding of a string that is written into an array. A number is no text: `isText` says whether the elements are
 * characters, so that the array has a text as well.
 * @returns {{ encoding: string, isText: boolean } | undefined}
 */
function textElements({ name }, type = name) {
  if (name === 'char') return { encoding: 'utf8', isText: true };
  if (name === 'wchar_t') return { encoding: WIDE, isText: true };
  if (type === 'char16_t') return { encoding: 'utf16', isText: true };
  if (type === 'char32_t') return { encoding: 'utf32', isText: true };
  if (name === 'u8' || name === 'i8') return { encoding: 'utf8', isText: false };
  return name === 'u16' ? { encoding: 'utf16', isText: false } : undefined;
}

/** The code points of a string; a lone surrogate becomes U+FFFD. */
function utf32(text) {
  const points = Uint32Array.from(text, (character) => character.codePointAt(0));
  return points.map((point) => (point >= 0xd800 && point <= 0xdfff ? 0xfffd : point));
}

/** A string in an encoding, as bytes. */
function encode(text, encoding) {
  if (encoding === 'utf8') return Buffer.from(text);
  if (encoding === 'utf16') return Buffer.from(text, 'utf16le');
  const points = utf32(text);
  return Buffer.from(points.buffer, 0, points.byteLength);
}

/** A string with a NUL, in units of so many bytes. */
function encodeWithNul(text, unit = 1) {
  return unit === 4 ? utf32(`${text}\0`) : Buffer.from(`${text}\0`, unit === 2 ? 'utf16le' : 'utf8');
}

/** The bytes of a string in `size` bytes, filled up with zeros; undefined where it does not fit or contains NUL. */
function encodeInto(text, encoding, size) {
  // No character takes less than one byte.
  if (text.includes('\0') || text.length > size) return undefined;
  const encoded = encode(text, encoding);
  if (encoded.length > size) return undefined;
  const bytes = new Uint8Array(size);
  bytes.set(encoded);
  return bytes;
}

const MOST_AT_ONCE = 8192;

function decodeUtf32(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let i = 0; i + 4 <= bytes.length; i += 4 * MOST_AT_ONCE) {
    const points = [];
    for (let at = i; at + 4 <= bytes.length && at < i + 4 * MOST_AT_ONCE; at += 4) {
      const point = view.getUint32(at, true);
      points.push(point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? 0xfffd : point);
    }
    text += String.fromCodePoint(...points);
  }
  return text;
}

/** The offset of the first NUL, in bytes; the length if there is none. */
function endOf(bytes, unit) {
  if (unit === 1) {
    const end = bytes.indexOf(0);
    return end < 0 ? bytes.length : end;
  }
  for (let at = 0; at + unit <= bytes.length; at += unit) {
    let i = 0;
    while (i < unit && bytes[at + i] === 0) i += 1;
    if (i === unit) return at;
  }
  return bytes.length - (bytes.length % unit);
}

/** The text of all bytes. */
function decode(bytes, encoding) {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (encoding === 'utf8') return buffer.toString('utf8');
  return encoding === 'utf16' ? buffer.toString('utf16le') : decodeUtf32(bytes);
}

/** The text of bytes, up to the NUL. */
const decodeText = (bytes, encoding) => decode(bytes.subarray(0, endOf(bytes, UNITS[encoding])), encoding);

module.exports = { ENCODINGS, UNITS, textElements, utf32, encodeWithNul, encodeInto, endOf, decode, decodeText };
