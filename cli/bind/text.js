'use strict';
// Pieces of source text: comments, literals, lines of a width.

const WIDTH = 116;
const quote = (text) =>
  `'${text
    .replace(/[\\']/g, '\\$&')
    .replace(
      /[\0-\x1f\x7f\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )}'`;

/** Words as lines of a width. */
function wrapped(words, indent, first = indent) {
  const lines = [];
  let line = first;
  for (const word of words) {
    if (line.length + word.length + 1 > WIDTH && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  lines.push(line.trimEnd());
  return lines.join('\n');
}

/** A comment of TSDoc. */
function docText(lines, indent = '') {
  if (lines.length === 0) return '';
  const safe = lines.map((line) => line.replace(/\*\//g, '*\\/'));
  if (safe.length === 1) return `${indent}/** ${safe[0]} */\n`;
  return `${indent}/**\n${safe.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`;
}

function literal(value) {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  return String(value);
}

/** A part of the module, with a ruler over it. */
const section = (name, text) =>
  text === '' ? '' : `// ---- ${name} ${'-'.repeat(Math.max(3, WIDTH - 8 - name.length))}\n\n${text}`;

module.exports = { wrapped, docText, quote, literal, section };
