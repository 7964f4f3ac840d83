'use strict';
// The text that a fast call has returned. Native code puts a short text of ASCII where it is read here; longer texts and
// others are fetched from native code.

const access = require('../memory/access.js');
const { compile } = require('../codegen/compile.js');
const { halves } = require('../codegen/read-values.js');

/** Of the memory that native code shares: the word of the length, and the word that counts the calls which return text. */
const LENGTH = 1;
const TURN = 2;
/** In place of the length: C has returned NULL. */
const NO_TEXT = 0xffffffff;
/** As many characters are made a string one by one; longer texts native code makes. */
const SHORT = 32;
/** The place for a short text that C has returned; native code writes it. */
const RETURNED = 16;

const { fromCharCode } = String;

/** A switch over the length: a text is made at once of all its characters. */
const shortText = (length) =>
  `case ${length}: return fromCharCode(${Array.from({ length }, (_, i) => `bytes[${i}]`)});`;
const shortTexts = (returned) =>
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

/** Makes the function that gives the text. `shared` is the memory, `state` its words; `takeText` fetches a text. */
const makeReturnedText = function (shared, state, takeText) {
  const returned = shared.subarray(RETURNED, RETURNED + SHORT);
  let textOf;

  function textOfState(length) {
    if (length <= SHORT) return (textOf ??= shortTexts(returned))(length);
    return length === NO_TEXT ? null : takeText();
  }

  /**
   * The text that a call has returned, whose length was read at once. Others may have called since: then it is read where
   * it is. `unit` is how many bytes its units have.
   */
  return function (length, turn, high, low, unit) {
    const text = textOfState(length);
    if (state[TURN] === turn) return text;
    const address = halves.toAddress(high, low);
    return address === null ? null : access.wideTextAt(address, unit, 'cstring');
  };
};

module.exports = { makeReturnedText, LENGTH, TURN };
