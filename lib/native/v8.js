'use strict';
// Decides whether the functions and objects of V8 are used: on verified engines, after a check of how V8 stores its
// values.

const binding = require('./binding.js');
const { platformKey } = require('./platform.js');
const { unverified } = require('./runtime.js');
const config = require('./config.js');

/**
 * Samples that show native code how V8 stores texts: a literal, a text that was made, and a concatenation. Made
 * right before they are shown, because a garbage collection replaces the concatenation.
 */
function makeTexts() {
  const made = Buffer.from('text made of bytes').toString('latin1');
  const joined = `${made} \xe9 ${made}`;
  // This flattens it.
  joined.includes('\0');
  return ['text of the source \xe9', made, joined];
}

/**
 * Why V8's own functions and objects are not used; undefined where they are. `PINNED_FFI_CALL_PATH=node-api` has all go
 * by Node-API, as it does on other platforms and runtimes.
 */
const withoutV8 =
  unverified ??
  (binding.verifyV8 === undefined ? `not implemented on ${platformKey()}` : undefined) ??
  (config.callPath === 'node-api' ? config.callPathSetting : undefined) ??
  binding.verifyV8(...makeTexts().slice(0, 2)) ??
  undefined;
const usesV8 = withoutV8 === undefined;

/** Makes native code read flat texts where V8 stores them. */
function attachTexts() {
  // If a collection came in between after all, the next texts are younger than it.
  for (let tries = 0; tries < 3 && !binding.attachTexts(...makeTexts()); tries += 1);
}

module.exports = { withoutV8, usesV8, attachTexts };
