'use strict';
// Text for a terminal: aligned columns, and names from files that may hold anything.

// A file may hold escape sequences in its names, which a terminal would obey.
const hidden = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A text with its control characters written out. */
const plain = (text) =>
  String(text).replace(hidden, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/**
 * Rows of cells as aligned lines. A number is aligned to the right; nothing follows the last cell of a line.
 * @param {(string | number | undefined | null)[][]} rows
 * @param {string} [indent]
 */
function table(rows, indent = '  ') {
  const widths = [];
  const texts = rows.map((row) => row.map((cell) => plain(cell ?? '')));
  for (const row of texts) row.forEach((text, i) => (widths[i] = Math.max(widths[i] ?? 0, text.length)));
  const lines = texts.map((row, at) =>
    row
      .map((text, i) => (typeof rows[at][i] === 'number' ? text.padStart(widths[i]) : text.padEnd(widths[i])))
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line) => `${indent}${line}\n`).join('');
}

/** A count and its noun: `1 symbol`, `2 symbols`. */
const count = (number, noun, plural = `${noun}s`) => `${number} ${number === 1 ? noun : plural}`;

module.exports = { table, plain, count };
