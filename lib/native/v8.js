'use strict';
// Decides whether the functions and objects of V8 are used: on verified engines, after a check of how V8 stores its
// values.

const { Buffer } = require('node:buffer');
const binding = require('./binding.js');
const { platformKey } = require('./platform.js');
const { unverified } = require('./runtime.js');
const config = require('./config.js');

/**
 * Samples that show native code how V8 stores strings: a literal, a string that was made, a concatenation that was
 * flattened, a part of a string, and one that was used as a key, of which V8 then has another copy. Made right before
 * they are shown, because a garbage collection replaces the last three.
 * @param {string} literal
 * @param {BufferEncoding} encoding that of the characters
 */
function makeTexts(literal, encoding) {
  const make = (text) => Buffer.from(text, encoding).toString(encoding);
  const made = make(`${literal} made of bytes`);
  const joined = `${made} - ${made}`;
  // This flattens it.
  joined.includes('\0');
  const key = make(`${literal} used as a key`);
  Object.keys({ [key]: 0 });
  return [literal, made, joined, make(`${literal} in part`).slice(1), key];
}
const textsOfLatin1 = () => makeTexts('text of Latin-1 \xe9', 'latin1');
const textsOfUtf16 = () => makeTexts('text of UTF-16 \u0436', 'utf16le');

/**
 * Why V8's own functions and objects are not used; undefined where they are. `PINNED_FFI_CALL_PATH=node-api` has all go
 * by Node-API, as it does on other platforms and runtimes.
 */
const withoutV8 =
  unverified ??
  (binding.verifyV8 === undefined ? `not implemented on ${platformKey()}` : undefined) ??
  (config.callPath === 'node-api' ? config.callPathSetting : undefined) ??
  binding.verifyV8(...textsOfLatin1().slice(0, 2)) ??
  undefined;
const usesV8 = withoutV8 === undefined;

/** Makes native code read flat strings where V8 stores them. */
function attachTexts() {
  // If a collection came in between after all, the next texts are younger than it.
  for (let tries = 0; tries < 3 && !binding.attachTexts(textsOfLatin1(), textsOfUtf16()); tries += 1);
}

module.exports = { withoutV8, usesV8, attachTexts };
