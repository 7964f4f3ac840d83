'use strict';
// The memory that fast calls share with JavaScript (src/node/fast_call/state.rs), and the texts that they leave there.

const binding = require('../native/binding.js');
const { compile } = require('../codegen/compile.js');

// Words that say how a call went and how long its text is, the text, the addresses of a call, then places for the texts
// of a call, each with room for fences.
const TEXTS = 192;
const TEXT_SLOTS = 8;
/** Characters of Latin-1; each may take two bytes. */
const LONGEST_TEXT = 1024;
const [, after, lead] = binding.fenceWidths();
const stride = Math.ceil((lead + 2 * LONGEST_TEXT + 1 + after) / 16) * 16;
const shared = new Uint8Array(TEXTS + TEXT_SLOTS * stride);
const state = new Uint32Array(shared.buffer, 0, TEXTS / 4);

/** The word that counts the calls which leave a text. */
const TURN = 2;

const { fromCharCode } = String;
/** As many characters are made a string one by one; longer texts native code makes. */
const SHORT = 32;
/** The place for a short text that C has returned; native code writes it. */
const RETURNED = 16;
const returned = shared.subarray(RETURNED, RETURNED + SHORT);

/** A switch over the length: a text is made at once of all its characters. */
const shortText = (length) =>
  `case ${length}: return fromCharCode(${Array.from({ length }, (_, i) => `bytes[${i}]`)});`;
const shortTexts = () =>
  compile(
    'text',
    'fromCharCode, bytes',
    `'use strict'; return function (length) {
  switch (length) {
    ${Array.from({ length: SHORT + 1 }, (_, length) => shortText(length)).join('\n    ')}
  }
};`,
    [fromCharCode, returned],
    () => (length) => Reflect.apply(fromCharCode, undefined, returned.subarray(0, length)),
  );
let textOf;

/** The text of up to `SHORT` characters that lies in the shared memory. */
const textOfLength = (length) => (textOf ??= shortTexts())(length);

module.exports = { shared, state, SHORT, TEXT_SLOTS, TURN, textOfLength };
