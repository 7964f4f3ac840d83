'use strict';
// Errors in C text: the fault, its place, the line itself and a caret.

const { makeError } = require('../errors.js');

/** The longest line that an error shows, so that a text of one long line stays readable. */
const MOST_COLUMNS = 100;

/** The line and column, from 1, of an offset. */
function positionOf(text, offset) {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
    start = at + 1;
  }
  return { line, column: offset - start + 1, start };
}

/**
 * The error of a place in a text.
 * @param {string} text
 * @param {number} offset
 * @param {string} message what is wrong, and what to do
 */
function faultAt(text, offset, message) {
  const { line, column, start } = positionOf(text, offset);
  const end = text.indexOf('\n', start);
  const whole = text.slice(start, end < 0 ? undefined : end).replace(/\p{Cc}/gu, ' ');
  const from = column > MOST_COLUMNS ? column - MOST_COLUMNS / 2 : 0;
  const shown = whole.slice(from, from + MOST_COLUMNS);
  return makeError(
    'ERR_FFI_DECLARATION_INVALID',
    `${message} (line ${line}, column ${column})\n  ${shown}\n  ${' '.repeat(column - 1 - from)}^`,
    { line, column },
  );
}

/** Why a type has no counterpart. The caller that knows its position in the text turns it into an error. */
class Unsupported extends Error {}

module.exports = { faultAt, positionOf, Unsupported };
